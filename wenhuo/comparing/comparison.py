"""What a comparison of two models is, and how it is measured from their answers.

The two are called the old and the new one, in the order in which they were named: a difference is new minus old, and a
row that changes sides goes from the old one's answer to the new one's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wenhuo.metrics.classification import measure
from wenhuo.metrics.paired import Difference, McNemar, class_differences, differences, mcnemar

Classes = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Turn = Literal["won", "lost", "moved"]
TURNS: dict[Turn, str] = {
    "won": "wrong to right",
    "lost": "right to wrong",
    "moved": "wrong to another wrong label",
}
"""The ways in which a row changes sides, the good news first."""


@dataclass(frozen=True)
class Answers:
    """What both models say of the rows of a split.

    Attributes:
        rows: at least ``id`` and ``text``; those of the split.
        labels: the data's labels, and behind them those that only a model knows.
        truth: the rows' labels as positions in ``labels``, shape (n,).
        old: probabilities of the old model, shape (n, labels); 0 for a label that it does not know.
        new: those of the new one.
    """

    rows: pl.DataFrame
    labels: list[str]
    truth: Classes
    old: Probabilities
    new: Probabilities


@dataclass(frozen=True)
class Line:
    """A part of the rows: how many, a figure of both models and their difference; what figure the table says."""

    name: str
    rows: int
    figure: Difference


@dataclass(frozen=True)
class Said:
    """A row that changes sides."""

    id: str
    text: str
    label: str
    old: str
    old_probability: float
    new: str
    new_probability: float


@dataclass(frozen=True)
class Split:
    """Both models on one split.

    Attributes:
        name: of the split.
        rows: how many.
        old: figures of the old model, see :func:`wenhuo.metrics.classification.measure`.
        new: those of the new one.
        differences: of accuracy and macro-F1; ``first`` is the new model.
        test: McNemar's; ``only_first`` are the rows that only the new model has right.
        classes: F1 by class.
        slices: accuracy by length, by source, and of the rows that do not leak.
        turned: how many rows change sides in which way.
        same: on how many rows the two say the same.
        examples: some rows of each way, those first of which the new model is surest; none where texts are not shown.
    """

    name: str
    rows: int
    old: dict[str, Any]
    new: dict[str, Any]
    differences: dict[str, Difference]
    test: McNemar
    classes: list[Line]
    slices: list[Line]
    turned: dict[Turn, int]
    same: int
    examples: dict[Turn, list[Said]]


@dataclass(frozen=True)
class Comparison:
    """The comparison: the names of the old and the new model, the splits, and what must be known beside."""

    old: str
    new: str
    splits: list[Split]
    notes: list[str] = field(default_factory=list)


def compare_answers(
    name: str,
    answers: Answers,
    slices: Mapping[str, NDArray[np.bool_]],
    *,
    examples: int,
    bootstrap: int,
    seed: int,
) -> Split:
    """Measure both models on one split.

    Args:
        name: of the split.
        answers: at least one row.
        slices: name to mask, shape (n,).
        examples: rows shown of each way of changing sides.
        bootstrap: resamples behind each interval.
        seed: of the resampling.
    """
    old, new = _guesses(answers.old), _guesses(answers.new)
    chance = {"bootstrap": bootstrap, "seed": seed}
    turns = changed(answers.truth, old, new)
    return Split(
        name,
        len(answers.truth),
        measure(answers.truth, answers.old, answers.labels, **chance),
        measure(answers.truth, answers.new, answers.labels, **chance),
        differences(answers.truth, new, old, len(answers.labels), resamples=bootstrap, seed=seed),
        mcnemar(answers.truth, new, old),
        _by_class(answers, old, new, bootstrap, seed),
        _by_slice(answers, slices, old, new, bootstrap, seed),
        {turn: len(rows) for turn, rows in turns.items()},
        int((old == new).sum()),
        {turn: _surest(answers, rows, examples) for turn, rows in turns.items()},
    )


def changed(truth: Classes, old: Classes, new: Classes) -> dict[Turn, NDArray[np.int64]]:
    """The rows that change sides, by the way in which they do.

    Args:
        truth: true classes, shape (n,).
        old: the classes that the old model predicts, shape (n,).
        new: those of the new one.
    """
    masks: dict[Turn, NDArray[np.bool_]] = {
        "won": (old != truth) & (new == truth),
        "lost": (old == truth) & (new != truth),
        "moved": (old != truth) & (new != truth) & (old != new),
    }
    return {turn: np.flatnonzero(mask) for turn, mask in masks.items()}


def _guesses(probabilities: Probabilities) -> Classes:
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def _by_class(answers: Answers, old: Classes, new: Classes, bootstrap: int, seed: int) -> list[Line]:
    counts = np.bincount(answers.truth, minlength=len(answers.labels))
    found = class_differences(answers.truth, new, old, len(answers.labels), resamples=bootstrap, seed=seed)
    return [
        Line(label, int(rows), figure)
        for label, rows, figure in zip(answers.labels, counts, found, strict=True)
        if figure is not None
    ]


def _by_slice(
    answers: Answers,
    slices: Mapping[str, NDArray[np.bool_]],
    old: Classes,
    new: Classes,
    bootstrap: int,
    seed: int,
) -> list[Line]:
    lines = []
    for name, mask in slices.items():
        said = answers.truth[mask], new[mask], old[mask]
        found = differences(*said, len(answers.labels), resamples=bootstrap, seed=seed)
        lines.append(Line(name, int(mask.sum()), found["accuracy"]))
    return lines


def _surest(answers: Answers, rows: Sequence[int] | NDArray[np.int64], most: int) -> list[Said]:
    """The rows of which the new model is surest, of equals by id."""
    ids, confidence = answers.rows["id"].to_list(), answers.new.max(axis=1)
    chosen = sorted((int(row) for row in rows), key=lambda row: (-confidence[row], ids[row]))[:most]
    return [_said(answers, row) for row in chosen]


def _said(answers: Answers, row: int) -> Said:
    old, new = int(answers.old[row].argmax()), int(answers.new[row].argmax())
    return Said(
        answers.rows["id"][row],
        answers.rows["text"][row],
        answers.labels[int(answers.truth[row])],
        answers.labels[old],
        float(answers.old[row, old]),
        answers.labels[new],
        float(answers.new[row, new]),
    )
