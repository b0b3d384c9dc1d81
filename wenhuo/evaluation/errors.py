"""The errors of a candidate as a table, the surest first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from wenhuo.evaluation.answers import Answers, Part
from wenhuo.metrics.tables import surest_errors, write_table

HEADER = ("id", "split", "text", "label", "predicted", "confidence")


def write_errors(path: Path, answers: Answers, parts: Mapping[str, Part], labels: list[str], most: int) -> None:
    """Write a candidate's errors on all splits together as CSV.

    Args:
        path: where.
        answers: the candidate's.
        parts: the splits.
        labels: the classes' names.
        most: rows at most.
    """
    rows = [(*row, split) for split, part in parts.items() for row in zip(part.ids, part.texts, strict=True)]
    truth = np.concatenate([part.truth for part in parts.values()])
    probabilities = np.concatenate([answers.by_split[split] for split in parts])
    table = []
    for at in surest_errors(truth, probabilities, [row[0] for row in rows], most):
        key, text, split = rows[at]
        guess, actual = int(probabilities[at].argmax()), int(truth[at])
        table.append((key, split, text, labels[actual], labels[guess], float(probabilities[at, guess])))
    write_table(path, HEADER, table, mark=True)
