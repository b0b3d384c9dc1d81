"""The course of a training as rows (step, epoch, metric, value): the curves of DVC, MLflow and the reports."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from wenhuo.files import whole

COLUMNS = ("step", "epoch", "metric", "value")


@dataclass(frozen=True)
class Point:
    """One value of one metric; ``epoch`` counts passes over the data as a fraction."""

    step: int
    epoch: float
    metric: str
    value: float


def write(path: Path, points: Iterable[Point]) -> None:
    """Write the points as CSV, whole or not at all; floats keep every digit."""
    with whole(path) as made, made.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(astuple(point) for point in points)


def read(path: Path) -> list[Point]:
    """The points that :func:`write` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return [Point(int(r["step"]), float(r["epoch"]), r["metric"], float(r["value"])) for r in rows]
