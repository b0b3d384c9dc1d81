"""Everything an evaluation shows, written into one folder: pictures, and the same figures as data for ``dvc plots``.

comparison.png, roc.png, pr.png       the candidates side by side
NAME/confusion.png, reliability.png, learning.png    one candidate
comparison.csv, confusion.csv, roc.csv, pr.csv, reliability.csv, learning.csv, labels.csv    the data behind them

All curves and matrices are of the test split, which chooses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wenhuo.metrics.calibration import reliability
from wenhuo.metrics.classification import FIGURES
from wenhuo.metrics.curves import AXES, Kind, curves, thinned
from wenhuo.metrics.plots import compare_candidates, compare_curves, confusion, learning_curves, reliability_diagram
from wenhuo.metrics.tables import Cell, confusion_counts, write_table
from wenhuo.models.folder import MEMBERS
from wenhuo.training.history import Point


@dataclass(frozen=True)
class Result:
    """What one candidate said about the test split, shape (n, k), how it was measured, and how its training went."""

    probabilities: NDArray[np.float64]
    measures: dict[str, dict[str, Any]]
    history: list[Point] = field(default_factory=list)


def write_report(
    folder: Path, results: dict[str, Result], truth: NDArray[np.int64], labels: list[str], winner: str, source: str
) -> None:
    """Write the pictures and their data.

    Args:
        folder: where; made when it is missing.
        results: candidate to result, in the order to show them in.
        truth: the true classes of the test split, shape (n,).
        labels: the classes' names.
        winner: the candidate chosen.
        source: what the data are, for the titles, e.g. ``sample (synthetic)``.
    """
    about = f"{source}: test, {len(truth):,} rows"
    measures = {name: result.measures for name, result in results.items()}
    compare_candidates(folder / "comparison.png", measures, winner, f"Candidates on {source}")
    header = ("candidate", "split", "figure", "value", "low", "high")
    write_table(folder / "comparison.csv", header, _compared(measures))
    write_table(folder / "labels.csv", ("number", "label"), enumerate(labels, start=1))
    _write_curves(folder, "roc", results, truth, labels, f"ROC curves, {about}")
    _write_curves(folder, "pr", results, truth, labels, f"Precision-recall curves, {about}")
    _write_confusions(folder, results, truth, labels, about)
    _write_reliability(folder, results, truth, about)
    _write_learning(folder, results, source)


def _write_curves(
    folder: Path, kind: Kind, results: dict[str, Result], truth: NDArray[np.int64], labels: list[str], title: str
) -> None:
    drawn = {name: curves(kind, truth, result.probabilities, labels) for name, result in results.items()}
    rows = (
        (name, curve.name, float(x), float(y))
        for name, lines in drawn.items()
        for curve in lines
        for x, y in zip(curve.x, curve.y, strict=True)
    )
    write_table(folder / f"{kind}.csv", ("candidate", "curve", *AXES[kind]), rows)
    if any(drawn.values()):
        compare_curves(folder / f"{kind}.png", kind, drawn, title)


def _write_confusions(
    folder: Path, results: dict[str, Result], truth: NDArray[np.int64], labels: list[str], about: str
) -> None:
    cells: list[tuple[Cell, ...]] = []
    for name, result in results.items():
        counts = confusion_counts(truth, result.probabilities.argmax(axis=1), len(labels))
        confusion(folder / name / "confusion.png", counts, labels, f"{name}\n{about}")
        filled = np.argwhere(counts)
        cells += [(name, labels[actual], labels[guess], int(counts[actual, guess])) for actual, guess in filled]
    write_table(folder / "confusion.csv", ("candidate", "actual", "predicted", "rows"), cells)


def _write_reliability(folder: Path, results: dict[str, Result], truth: NDArray[np.int64], about: str) -> None:
    cells: list[tuple[Cell, ...]] = []
    for name, result in results.items():
        bins = reliability(truth, result.probabilities)
        reliability_diagram(folder / name / "reliability.png", bins, f"{name}\n{about}")
        cells += [(name, b.lower, b.upper, b.rows, b.confidence, b.accuracy) for b in bins]
    write_table(folder / "reliability.csv", ("candidate", "lower", "upper", "rows", "confidence", "accuracy"), cells)


def _write_learning(folder: Path, results: dict[str, Result], source: str) -> None:
    for name, result in results.items():
        if len({point.step for point in result.history}) > 1:
            learning_curves(folder / name / "learning.png", result.history, f"{name}\n{source}: training")
    rows = [(name, p.metric, p.step, p.epoch, p.value) for name, r in results.items() for p in _thinned(r.history)]
    write_table(folder / "learning.csv", ("candidate", "metric", "step", "epoch", "value"), rows)


def _thinned(history: list[Point]) -> Iterator[Point]:
    """Each metric's points, at most 500 of each; what a blend says of its members has no course."""
    for metric in dict.fromkeys(point.metric for point in history if not point.metric.startswith(f"{MEMBERS}/")):
        line = [point for point in history if point.metric == metric]
        yield from (line[place] for place in thinned(len(line)))


def _compared(measures: dict[str, dict[str, Any]]) -> Iterator[tuple[Cell, ...]]:
    for name, splits in measures.items():
        for split, measure in splits.items():
            for figure in FIGURES:
                yield name, split, figure, measure[figure], *(measure["intervals"].get(figure) or (None, None))
