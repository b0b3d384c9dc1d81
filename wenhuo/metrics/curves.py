"""ROC and precision-recall curves as data: one class against the rest, and their micro and macro averages.

The micro average pools every (row, class) decision. The macro average is the mean of the classes' curves on a common
grid of 201 points (of the false positive rate, or of the recall). Classes without a row in the split have no curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

FEW = 6  # with more classes only the averages are drawn
POINTS = 500  # more than a screen can show
GRID = 201
MACRO, MICRO = "macro average", "micro average"

Floats = NDArray[np.float64]
Kind = Literal["roc", "pr"]
AXES: dict[Kind, tuple[str, str]] = {
    "roc": ("false_positive_rate", "true_positive_rate"),
    "pr": ("recall", "precision"),
}
"""The names of the two columns of a curve's points."""


@dataclass(frozen=True)
class Curve:
    """A line: what it is of, its area (ROC AUC or average precision), at most ``POINTS`` points, the class number."""

    name: str
    area: float
    x: Floats
    y: Floats
    number: int | None = None  # from 1; an average has none


def curves(kind: Kind, truth: NDArray[np.int64], probabilities: Floats, labels: list[str]) -> list[Curve]:
    """The curves worth showing.

    Args:
        kind: ``roc`` or ``pr``.
        truth: true classes, shape (n,).
        probabilities: shape (n, k).
        labels: the classes' names.

    Returns:
        With two classes: theirs. With up to six: the averages and each class. With more: the averages. Nothing when the
        split has fewer than two classes, which leaves nothing to tell apart.
    """
    present = np.unique(truth)
    if len(present) < 2:
        return []
    single = [_curve(kind, labels[k], truth == k, probabilities[:, k], int(k) + 1) for k in present]
    shown = [_thinned(curve) for curve in single] if len(labels) <= FEW else []
    if len(labels) == 2:
        return shown
    one_hot = truth[:, None] == np.arange(len(labels))
    micro = _curve(kind, MICRO, one_hot.ravel(), probabilities.ravel())
    return [_macro(single), _thinned(micro), *shown]


def thinned(length: int, points: int = POINTS) -> NDArray[np.int64]:
    """Which of ``length`` points to keep: all of few, else ``points`` evenly spread, the first and the last too."""
    return np.unique(np.linspace(0, length - 1, min(length, points)).round().astype(np.int64))


def _curve(kind: Kind, name: str, positive: NDArray[np.bool_], scores: Floats, number: int | None = None) -> Curve:
    if kind == "roc":
        x, y, _ = roc_curve(positive, scores)
        return Curve(name, float(roc_auc_score(positive, scores)), x, y, number)
    precision, recall, _ = precision_recall_curve(positive, scores, drop_intermediate=True)
    return Curve(name, float(average_precision_score(positive, scores)), recall[::-1], precision[::-1], number)


def _macro(single: list[Curve]) -> Curve:
    grid = np.linspace(0, 1, GRID)
    mean = np.mean([np.interp(grid, curve.x, curve.y) for curve in single], axis=0)
    return Curve(MACRO, float(np.mean([curve.area for curve in single])), grid, mean)


def _thinned(curve: Curve) -> Curve:
    kept = thinned(len(curve.x))
    return Curve(curve.name, curve.area, curve.x[kept], curve.y[kept], curve.number)
