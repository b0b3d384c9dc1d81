"""Keep the lines that are most like the train texts: a short pretraining learns more from them.

A line's score is the mean, over its characters and pairs of characters, of how much more frequent each is in the train
texts than in the lines (Moore & Lewis 2010, with hashed n-grams as in Xie et al. 2023). Short lines are drawn towards
0, for a mean of few says little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 20
DOUBT = 16.0
"""N-grams of nothing in particular that every line is thought to have besides its own."""
SMOOTHING = 0.1
LINES_AT_ONCE = 20_000

_PAIR = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xFF51AFD7ED558CCD)


def closest(
    wanted: Sequence[Iterable[str]], lines: Iterable[str], again: Iterable[str], share: float
) -> list[npt.NDArray[np.bool_]]:
    """Which lines are kept for each of several sets of texts.

    Args:
        wanted: the sets of texts that lines are to be like.
        lines: the lines; ``again``: the same ones, for a second look.
        again: the lines once more.
        share: of the lines that are kept for each set.

    Returns:
        For each set shape (lines,).
    """
    general = _log_frequency(lines)
    ratios = [_log_frequency(texts) - general for texts in wanted]
    scores = [np.zeros((len(wanted), 0)), *(_scores(chunk, ratios) for chunk in _chunks(again))]
    return [_highest(found, share) for found in np.concatenate(scores, axis=1)]


def _highest(scores: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.bool_]:
    kept = np.zeros(len(scores), dtype=np.bool_)
    kept[np.argsort(-scores, kind="stable")[: round(share * len(scores))]] = True
    return kept


def _chunks(lines: Iterable[str]) -> Iterator[list[str]]:
    source = iter(lines)
    while chunk := list(islice(source, LINES_AT_ONCE)):
        yield chunk


def _log_frequency(lines: Iterable[str]) -> npt.NDArray[np.float64]:
    counts = np.zeros(BUCKETS)
    for chunk in _chunks(lines):
        grams, _ = _grams(chunk)
        counts += np.bincount(grams, minlength=BUCKETS)
    smooth = counts + SMOOTHING
    frequency: npt.NDArray[np.float64] = np.log(smooth / smooth.sum())
    return frequency


def _scores(lines: list[str], ratios: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Shape (ratios, lines)."""
    grams, owner = _grams(lines)
    sums = np.array([np.bincount(owner, ratio[grams], minlength=len(lines)) for ratio in ratios])
    scores: npt.NDArray[np.float64] = sums / (np.bincount(owner, minlength=len(lines)) + DOUBT)
    return scores


def _grams(lines: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The buckets of all characters and pairs of characters, and the position of the line that each stands in."""
    codes = np.frombuffer("".join(lines).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    inside = owner[1:] == owner[:-1]
    pairs = (codes[:-1] * _PAIR + codes[1:] + np.uint64(1))[inside]
    grams = np.concatenate([codes, pairs]) * _SPREAD
    grams ^= grams >> np.uint64(33)
    buckets = ((grams * _PAIR) >> np.uint64(44)).astype(np.int64)
    return buckets, np.concatenate([owner, owner[:-1][inside]])
