"""The two figures of a part of a split, accuracy and macro-F1, from nothing but what was true and what was said."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from wenhuo.metrics.intervals import Interval, percentiles
from wenhuo.metrics.tables import confusion_counts

DIGITS = 6
NORMAL = 1.959964  # the normal distribution's 97.5th percentile

Classes = NDArray[np.int64]


def accuracy_and_macro_f1(truth: Classes, said: Classes, classes: int) -> tuple[float | None, float | None]:
    """Both figures, rounded to 6 digits; None without a row.

    Args:
        truth: true classes, shape (n,).
        said: predicted ones, shape (n,).
        classes: how many there are. Those without a row are left out of macro-F1.
    """
    if not len(truth):
        return None, None
    counts = confusion_counts(truth, said, classes)
    hits, actual, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    f1 = (2 * hits / np.maximum(1, actual + predicted))[actual > 0]
    return round(float(hits.sum() / len(truth)), DIGITS), round(float(f1.mean()), DIGITS)


def accuracy_interval(truth: Classes, said: Classes, *, resamples: int, seed: int) -> Interval:
    """The 95 % interval of the accuracy by the percentile bootstrap over rows; None without resamples or rows.

    Of a resample only the number of right rows counts, and that is binomial.
    """
    if not resamples or not len(truth):
        return None
    right, rows = int((truth == said).sum()), len(truth)
    return percentiles(np.random.default_rng(seed).binomial(rows, right / rows, size=resamples) / rows)


def share_interval(part: int, whole: int) -> Interval:
    """The 95 % interval of a share, by Wilson's score (Journal of the American Statistical Association 22, 1927).

    It holds up where the bootstrap does not: for few rows, and for shares of 0 and 1, of which every resample is the
    same (Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16, 2001).

    Args:
        part: rows that are counted.
        whole: all rows; None is returned where there are none.
    """
    if not whole:
        return None
    share, spread = part / whole, NORMAL**2 / whole
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return round(max(0.0, middle - half), DIGITS), round(min(1.0, middle + half), DIGITS)
