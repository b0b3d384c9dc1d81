"""Do the probabilities mean what they say, and what would it bring to answer only where they are high?

Reliability bins, the expected calibration error, and accuracy by coverage. The definition of the error is that of Guo,
Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017, arXiv:1706.04599): the rows are put
into 15 bins of equal width by the probability of the class predicted; the error is the mean over the rows of the
distance between their bin's mean probability and its accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
POINTS = 41
"""Of a curve of coverage, at most: apart by equal shares of the rows, from all of them on."""
FINE = 6  # digits of a threshold: later ones depend on the machine


@dataclass(frozen=True)
class Bin:
    """The rows whose confidence lies in (lower, upper]; confidence and accuracy are ``None`` for a bin without rows."""

    lower: float
    upper: float
    rows: int
    confidence: float | None
    accuracy: float | None


def bin_of(confidence: NDArray[np.float64], bins: int = BINS) -> NDArray[np.int64]:
    """The bin of each confidence, from 0 to ``bins`` - 1; the bins are closed above, as in the paper."""
    return np.asarray(np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1), dtype=np.int64)


def reliability(truth: NDArray[np.int64], probabilities: NDArray[np.float64], bins: int = BINS) -> list[Bin]:
    """The reliability diagram as data.

    Args:
        truth: true classes, shape (n,).
        probabilities: shape (n, k).
        bins: how many bins of equal width.

    Returns:
        One bin after the other, the empty ones too.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    places = bin_of(confidence, bins)
    rows = np.bincount(places, minlength=bins)
    sums = [np.bincount(places, weights=values, minlength=bins) for values in (confidence, right)]
    means = [np.divide(total, rows, out=np.zeros(bins), where=rows > 0) for total in sums]
    return [
        Bin(b / bins, (b + 1) / bins, int(rows[b]), *((float(mean[b]) if rows[b] else None) for mean in means))
        for b in range(bins)
    ]


def calibration_error(diagram: list[Bin]) -> float:
    """The expected calibration error, from 0 to 1; of no rows it is 0."""
    gaps = [b.rows * abs((b.confidence or 0) - (b.accuracy or 0)) for b in diagram]
    return sum(gaps) / max(1, sum(b.rows for b in diagram))


def coverage_curve(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], points: int = POINTS
) -> list[dict[str, Any]]:
    """How often the answers are right when a model answers only the rows of which it is surest.

    Called the risk-coverage curve, of 1 - accuracy, by El-Yaniv and Wiener (JMLR 11, 2010).

    Args:
        truth: true classes, shape (n,).
        probabilities: shape (n, k).
        points: at most so many, apart by equal shares of the rows.

    Returns:
        For rising thresholds on the highest probability ``threshold``, ``coverage`` (share of the rows that reach it),
        ``accuracy`` of these and ``rows``. Nothing for no rows.
    """
    sure = np.sort(np.floor(probabilities.max(axis=1) * 10**FINE) / 10**FINE)
    places = (np.arange(points) * len(sure) / points).astype(np.int64)
    return [
        {"threshold": float(threshold), **answered(truth, probabilities, float(threshold))}
        for threshold in np.unique(sure[places] if len(sure) else sure)
    ]


def answered(truth: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float) -> dict[str, Any]:
    """What a model answers that gives no label below a threshold.

    Args:
        truth: true classes, shape (n,).
        probabilities: shape (n, k).
        threshold: on the highest probability of a row.

    Returns:
        ``coverage``, the share of the rows that are answered (0 of no rows); ``accuracy`` of these, ``None`` when there
        are none; ``rows``, how many.
    """
    chosen = probabilities.max(axis=1) >= threshold
    rows, right = int(chosen.sum()), int((chosen & (probabilities.argmax(axis=1) == truth)).sum())
    return {"coverage": rows / max(1, len(truth)), "accuracy": right / rows if rows else None, "rows": rows}
