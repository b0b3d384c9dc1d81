"""Tables for people and for ``dvc plots``: CSV whose cells no spreadsheet program runs as formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wenhuo.files import whole

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What spreadsheet programs take for a formula's beginning; the full-width ones in East Asian settings
(https://owasp.org/www-community/attacks/CSV_Injection)."""

Cell = str | int | float | None


def safe(cell: Cell) -> Cell:
    """The cell, with an apostrophe before a text that a spreadsheet program would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, mark: bool = False) -> None:
    """Write a CSV, whole or not at all. Numbers keep at most 6 significant digits, ``None`` is an empty cell.

    Args:
        path: where.
        header: the columns' names.
        rows: the cells.
        mark: begin with a byte order mark, by which spreadsheet programs see that the file is UTF-8.
    """
    with whole(path) as made, made.open("w", encoding="utf-8-sig" if mark else "utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_written(cell) for cell in row] for row in rows)


def surest_errors(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], ids: Sequence[str], most: int
) -> list[int]:
    """The rows that are classified wrongly with the highest probabilities.

    Args:
        truth: true classes, shape (n,).
        probabilities: shape (n, k).
        ids: the rows' ids, which decide between equal probabilities.
        most: how many at most.

    Returns:
        Row numbers, the surest error first.
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth).tolist()
    confidence = probabilities.max(axis=1)
    return sorted(wrong, key=lambda row: (-confidence[row], ids[row]))[:most]


def confusion_counts(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """How many rows of each class (first axis) were predicted as each (second axis), shape (k, k)."""
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _written(cell: Cell) -> Cell:
    return f"{cell:.6g}" if isinstance(cell, float) else safe(cell)
