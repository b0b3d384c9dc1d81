"""What the version takes for what on test: a matrix of few labels, of many the pairs most often confused."""

from __future__ import annotations

import numpy as np

from wenhuo.cards.content import Cell, Figure, Part, Table, cell, share
from wenhuo.cards.material import CardMaterial
from wenhuo.evaluation.confusions import MATRIX_LABELS, confusion_section
from wenhuo.pages.wording import number

PAIRS = 15


def confusion(material: CardMaterial) -> Part | None:
    """The part about confusions; None where they are not known."""
    if not material.confusion:
        return None
    labels = material.labels
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for actual, guess, rows in material.confusion:
        counts[labels.index(actual), labels.index(guess)] = rows
    said = ["Rows of test: those of one label in a line, what they were taken for in the columns."]
    table = _pairs(material) if len(labels) > MATRIX_LABELS else _matrix(labels, counts.tolist())
    drawn = confusion_section({material.subject.candidate: counts}, labels)
    return Part("confusions", "What is taken for what", said, tables=[table], instead=drawn)


def _matrix(labels: list[str], counts: list[list[int]]) -> Table:
    rows: list[list[Cell]] = [[cell(label), *map(number, line)] for label, line in zip(labels, counts, strict=True)]
    return Table(["Label", *map(cell, labels)], rows)


def _pairs(material: CardMaterial) -> Table:
    totals: dict[str, int] = {}
    for actual, _, rows in material.confusion:
        totals[actual] = totals.get(actual, 0) + rows
    wrong = sorted((-rows, actual, guess) for actual, guess, rows in material.confusion if actual != guess)
    lines: list[list[Cell]] = [
        [cell(actual), cell(guess), Figure("", -rows), share(-rows / totals[actual])]
        for rows, actual, guess in wrong[:PAIRS]
    ]
    return Table(["Label", "taken for", "rows", "of the label"], lines, "The most frequent")
