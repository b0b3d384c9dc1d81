"""Do the probabilities mean what they say? Reliability bins and the expected calibration error.

The definition is that of Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017,
arXiv:1706.04599): the rows are put into 15 bins of equal width by the probability of the class predicted; the error is
the mean over the rows of the distance between their bin's mean probability and its accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


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
