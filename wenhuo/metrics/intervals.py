"""95 % intervals by the percentile bootstrap over rows (Efron 1979).

A resample is a row of counts: how often each row of the split was drawn. Every figure is then a few products of these
counts, for hundreds of resamples at a time. 1,000 resamples of 10,000 rows and 10 classes take about a second.

- ROC AUC and average precision need every class's ranking in every resample: where rows x classes exceed 500,000 they
  get fewer than 1,000 resamples, and beyond 5 million (fewer than 100 resamples) ``None``;
- the calibration error of a resample is biased upwards (repeated rows look over-confident), so that its distribution is
  moved to have its mean at the estimate before the percentiles are taken.

The intervals say how far the figure of *this* model could move with another split of this size. They say nothing about
training it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from wenhuo.metrics.calibration import BINS, bin_of

LEVEL = 0.95
RANKED_WORK = 500_000_000  # rows x classes x resamples of the rankings: 1 to 5 s
FEWEST = 100  # percentiles of fewer resamples are noise
CELLS = 4_000_000  # of one block of counts: 32 MB
SMALLEST = np.finfo(np.float64).eps  # log loss clips probabilities here, as sklearn does

Floats = NDArray[np.float64]
Interval = tuple[float, float] | None


def intervals(
    truth: NDArray[np.int64],
    probabilities: Floats,
    estimates: Mapping[str, float | None],
    *,
    resamples: int,
    seed: int,
) -> dict[str, Interval]:
    """The 95 % interval of each estimate.

    Args:
        truth: true classes, shape (n,), n > 0.
        probabilities: shape (n, k).
        estimates: figure to its value on all rows, ``None`` where it is undefined.
        resamples: how many; 0 for no intervals.
        seed: the same seed and rows, in any order, give the same intervals.

    Returns:
        Figure to (low, high), rounded to 6 digits; ``None`` where the estimate is undefined or too dear (see above).
    """
    if not resamples:
        return {}
    order = np.lexsort((*probabilities.T, truth))  # one order for the same rows in any order
    truth, probabilities = truth[order], probabilities[order]
    drawn = resampled_figures(truth, probabilities, resamples, seed)
    drawn |= resampled_rankings(truth, probabilities, _affordable(probabilities.size, resamples), seed)
    if estimates["calibration_error"] is not None:
        shift = drawn["calibration_error"].mean() - estimates["calibration_error"]
        drawn["calibration_error"] = np.clip(drawn["calibration_error"] - shift, 0, 1)
    return {name: None if value is None else percentiles(drawn.get(name)) for name, value in estimates.items()}


def percentiles(values: Floats | None) -> Interval:
    """The middle 95 % of resampled values; ``None`` where there are none."""
    if values is None or not np.isfinite(values).any():
        return None
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return round(float(low), 6), round(float(high), 6)


def counts(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn in each resample, in blocks of shape (rows, some resamples)."""
    generator = np.random.default_rng(seed)
    block = max(1, CELLS // rows)
    for start in range(0, resamples, block):
        width = min(block, resamples - start)
        drawn = generator.integers(rows, size=(rows, width)) * width + np.arange(width)
        yield np.bincount(drawn.ravel(), minlength=rows * width).reshape(rows, width).astype(np.float64)


def resampled_figures(truth: NDArray[np.int64], probabilities: Floats, resamples: int, seed: int) -> dict[str, Floats]:
    """Every figure but the rankings, in each resample: name to shape (resamples,)."""
    rows, classes = probabilities.shape
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = predicted == truth
    likelihood = np.clip(probabilities[np.arange(rows), truth], SMALLEST, 1)
    squared = (probabilities**2).sum(axis=1) - 2 * probabilities[np.arange(rows), truth] + 1
    actual, guessed = indicator(truth, classes), indicator(predicted, classes)
    hit, gap = indicator(truth, classes, right), indicator(bin_of(confidence), BINS, confidence - right)
    blocks = [
        scores_from_counts(hit @ drawn, actual @ drawn, guessed @ drawn)
        | {"log_loss": -np.log(likelihood) @ drawn / rows, "brier": squared @ drawn / rows}
        | {"calibration_error": np.abs(gap @ drawn).sum(axis=0) / rows}
        for drawn in counts(rows, resamples, seed)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def scores_from_counts(hit: Floats, actual: Floats, predicted: Floats) -> dict[str, Floats]:
    """Accuracy and macro and weighted precision, recall and F1 from class counts.

    Args:
        hit: rows of each class that were predicted right, shape (k, resamples).
        actual: rows of each class, likewise.
        predicted: rows that were predicted as each class, likewise.

    Returns:
        Name to shape (resamples,). Classes without a row in a resample are left out of its macro averages.
    """
    present, rows = (actual > 0).sum(axis=0), actual.sum(axis=0)
    scores = {"accuracy": hit.sum(axis=0) / rows}
    by_class = {
        "precision": _share(hit, predicted),
        "recall": _share(hit, actual),
        "f1": _share(2 * hit, actual + predicted),
    }
    for name, values in by_class.items():
        scores[f"macro_{name}"] = np.where(actual > 0, values, 0).sum(axis=0) / present
        scores[f"weighted_{name}"] = (values * actual).sum(axis=0) / rows
    return scores


def resampled_rankings(truth: NDArray[np.int64], probabilities: Floats, resamples: int, seed: int) -> dict[str, Floats]:
    """Macro ROC AUC and average precision in each resample; empty when ``resamples`` is 0 or there is one class."""
    present = np.unique(truth)
    if not resamples or len(present) < 2:
        return {}
    blocks = []
    for drawn in counts(len(truth), resamples, seed):
        areas = np.array([ranking(truth == k, probabilities[:, k], drawn) for k in present])
        held = np.isfinite(areas)  # a class may be missing from a resample: it is left out there
        with np.errstate(invalid="ignore"):
            blocks.append(np.where(held, areas, 0).sum(axis=0) / held.sum(axis=0))
    auc, precision = np.concatenate(blocks, axis=1)
    return {"roc_auc": auc, "average_precision": precision}


def ranking(positive: NDArray[np.bool_], scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """ROC AUC and average precision of one class, for many weightings of the same rows at once.

    Args:
        positive: the rows of the class, shape (n,).
        scores: its probabilities, shape (n,); equal ones count as one threshold.
        weights: shape (n, resamples).

    Returns:
        Two arrays of shape (resamples,), NaN where a weighting leaves no positive (or, for the AUC, no negative) row.
    """
    stretch = _stretches(positive, scores)
    height = int(stretch.max()) + 1
    total = np.cumsum(indicator(stretch, height) @ weights, axis=0)
    hits = np.cumsum(indicator(stretch, height, positive) @ weights, axis=0)
    total_below, hits_below = _shifted(total), _shifted(hits)
    here, misses_below = hits - hits_below, total_below - hits_below
    misses_here = total - total_below - here
    with np.errstate(all="ignore"):
        auc = (here * (misses_below + misses_here / 2)).sum(axis=0) / (hits[-1] * (total[-1] - hits[-1]))
        average = (here * _share(hits[-1] - hits_below, total[-1] - total_below)).sum(axis=0) / hits[-1]
    return auc, average


def _stretches(positive: NDArray[np.bool_], scores: Floats) -> NDArray[np.int64]:
    """Each row's place in the ranking, equal scores sharing one; neighbouring places without a positive row are one.

    Only places with a positive row enter the areas, and in one class against the rest those are few: ten times faster.
    """
    _, place = np.unique(scores, return_inverse=True)
    held = np.bincount(place, weights=positive) > 0
    return np.asarray(np.cumsum(held | np.append(True, held[:-1]))[place] - 1, dtype=np.int64)


def _affordable(cells: int, resamples: int) -> int:
    most = min(resamples, RANKED_WORK // cells)
    return most if most >= min(FEWEST, resamples) else 0


def indicator(places: NDArray[np.int64], height: int, values: NDArray[np.generic] | None = None) -> csr_array:
    """A sparse matrix (height, n) with each row's value (1 where none is given) at its place."""
    rows = len(places)
    held = np.ones(rows) if values is None else values.astype(np.float64)
    return csr_array((held, (places, np.arange(rows))), shape=(height, rows))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _shifted(values: Floats) -> Floats:
    return np.vstack([np.zeros((1, values.shape[1])), values[:-1]])
