"""The figures of one classifier on one split, each by its usual definition.

Classes that a split lacks: precision, recall and F1 of a class without a row are undefined. They are ``None``, and the
class is left out of the macro averages (as ``sklearn`` does when ``labels`` names only the classes at hand); rows that
are wrongly given to it still count as misses of their own classes. A class that has rows but is never predicted has
precision and F1 of 0: that is a failing of the model, not of the split. A split without rows has ``None`` everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from wenhuo.errors import ModelError
from wenhuo.metrics.calibration import calibration_error, reliability
from wenhuo.metrics.intervals import intervals

DIGITS = 6  # the last bits of a sum depend on the machine; what is written must not
EQUAL_DIGITS = 12
SCORES = ("precision", "recall", "f1")
FIGURES = (
    "accuracy",
    *(f"{average}_{score}" for average in ("macro", "weighted") for score in SCORES),
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "calibration_error",
)
"""The names of the plain figures, in the order in which they are written."""

Truth = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def measure(
    truth: Truth, probabilities: Probabilities, labels: list[str], *, bootstrap: int, seed: int
) -> dict[str, Any]:
    """Every figure of a classifier on one split, with 95 % intervals.

    Args:
        truth: the true classes as positions in ``labels``, shape (n,).
        probabilities: the classifier's, rows summing to 1, shape (n, k). The class predicted is the likeliest one, of
            equals the first.
        labels: the names of the k classes.
        bootstrap: resamples behind each interval; 0 for no intervals.
        seed: of the resampling.

    Returns:
        ``rows``; the plain figures of ``FIGURES`` (``roc_auc`` and ``average_precision`` are macro averages of one
        class against the rest, over the classes that the split has; ``brier`` is Brier's own of 1950, from 0 to 2;
        ``calibration_error`` see :mod:`wenhuo.metrics.calibration`); ``per_class``: label to precision, recall, f1 and
        support; ``intervals``: see :func:`wenhuo.metrics.intervals.intervals`. Undefined figures are ``None``.
        The order of the rows changes nothing.

    Raises:
        ModelError: the probabilities have another shape or are not numbers from 0 to 1.
    """
    check_probabilities(truth, probabilities, labels)
    if not len(truth):
        empty = dict.fromkeys(SCORES) | {"support": 0}
        return {"rows": 0, **dict.fromkeys(FIGURES), "per_class": dict.fromkeys(labels, empty), "intervals": {}}
    figures = point_figures(truth, probabilities, labels)
    return {
        "rows": len(truth),
        **{name: _rounded(figures[name]) for name in FIGURES},
        "per_class": per_class(truth, probabilities.argmax(axis=1), labels),
        "intervals": intervals(truth, probabilities, figures, resamples=bootstrap, seed=seed),
    }


def check_probabilities(truth: Truth, probabilities: Probabilities, labels: list[str]) -> None:
    """Refuse what no classifier of these labels can have said.

    Raises:
        ModelError: another shape, not a number, or outside 0 to 1.
    """
    if probabilities.shape != (len(truth), len(labels)):
        expected = (len(truth), len(labels))
        what = f"the model gave probabilities of shape {probabilities.shape}, not {expected} (rows, labels)"
        raise ModelError(what, "train it again on these labels")
    wrong = ~((probabilities >= 0) & (probabilities <= 1 + 1e-9)).all(axis=1)
    if wrong.any():
        what = f"the model's probabilities for {int(wrong.sum())} of {len(truth)} rows are not numbers from 0 to 1"
        raise ModelError(what, "its weights are damaged or its training diverged: train it again")


def point_figures(truth: Truth, probabilities: Probabilities, labels: list[str]) -> dict[str, float | None]:
    """The plain figures of ``FIGURES``, unrounded, for at least one row."""
    predicted, present = probabilities.argmax(axis=1), np.unique(truth)
    figures: dict[str, float | None] = {"accuracy": float(accuracy_score(truth, predicted))}
    for average in ("macro", "weighted"):
        scores = precision_recall_fscore_support(truth, predicted, labels=present, average=average, zero_division=0)
        figures |= {f"{average}_{name}": float(score) for name, score in zip(SCORES, scores, strict=False)}
    return figures | {
        "roc_auc": _one_against_rest(roc_auc_score, truth, probabilities),
        "average_precision": _one_against_rest(average_precision_score, truth, probabilities),
        "log_loss": float(log_loss(truth, probabilities, labels=range(len(labels)))) if len(labels) > 1 else None,
        "brier": float(squared_errors(truth, probabilities).mean()),
        "calibration_error": calibration_error(reliability(truth, probabilities)),
    }


def squared_errors(truth: Truth, probabilities: Probabilities) -> NDArray[np.float64]:
    """Each row's sum of squared differences between the probabilities and what was true, shape (n,) (Brier 1950)."""
    right = probabilities[np.arange(len(truth)), truth]
    return np.asarray((probabilities**2).sum(axis=1) - 2 * right + 1, dtype=np.float64)


def per_class(truth: Truth, predicted: Truth, labels: list[str]) -> dict[str, dict[str, float | int | None]]:
    """Label to precision, recall, f1 (``None`` for a class that the split lacks) and support (rows)."""
    every = range(len(labels))
    scores = precision_recall_fscore_support(truth, predicted, labels=every, average=None, zero_division=0)
    table: dict[str, dict[str, float | int | None]] = {}
    for label, *values, support in zip(labels, *scores, strict=True):
        table[label] = {
            **{name: _rounded(float(value)) if support else None for name, value in zip(SCORES, values, strict=True)},
            "support": int(support),
        }
    return table


def _one_against_rest(score: Any, truth: Truth, probabilities: Probabilities) -> float | None:
    """The mean of a score over the classes that have rows, each against the rest; ``None`` when there is only one.

    Scores go by order: rows whose probabilities differ in the last bits only are equals, in every column alike.
    """
    present = np.unique(truth)
    if len(present) < 2:
        return None
    ranked = probabilities.round(EQUAL_DIGITS)
    return float(np.mean([score(truth == k, ranked[:, k]) for k in present]))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
