"""Which texts are worth comparing: those that share a bucket of a band."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SMALL = 20
"""In a bucket of up to so many texts every pair is looked at, in a larger one each text's neighbours and the first."""

NEIGHBOURS = 3

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def candidates(band: NDArray[np.uint64], other: NDArray[np.uint64]) -> Iterator[Pairs]:
    """Pairs of texts that share a bucket, in portions of at most one pair a text; no pair comes twice.

    In a large bucket the texts are put in the order of their buckets in another band, so that those alike are
    neighbours.

    Args:
        band: each text's bucket.
        other: each text's bucket in another band.

    Yields:
        The numbers of the texts, the smaller ones first.
    """
    members, starts, sizes = _shared(band)
    large = np.repeat(sizes > SMALL, sizes)
    if large.any():
        crowd = members[large]
        members[large] = crowd[np.lexsort((crowd, other[crowd], band[crowd]))]
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    for ahead in range(1, min(SMALL, sizes.max(initial=1))):
        together = (bucket[ahead:] == bucket[:-ahead]) & (~large[ahead:] | (ahead <= NEIGHBOURS))
        here = np.flatnonzero(together)
        yield _ordered(members[here], members[here + ahead])
    firsts = np.repeat(starts, sizes)
    far = np.flatnonzero(large & (np.arange(len(members)) - firsts > NEIGHBOURS))
    yield _ordered(members[firsts[far]], members[far])


def unlooked(band: NDArray[np.uint64]) -> int:
    """How many pairs of texts share a large bucket and are not among its candidates."""
    sizes = _shared(band)[2]
    sizes = sizes[sizes > SMALL].astype(object)
    looked = sum(size - ahead for size in sizes for ahead in range(1, NEIGHBOURS + 1))
    return int(sum(size * (size - 1) // 2 - (size - NEIGHBOURS - 1) for size in sizes) - looked)


def _shared(band: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The texts of all buckets that hold two or more, bucket by bucket; where each bucket begins, and its size."""
    order = np.argsort(band, kind="stable")
    edges = np.flatnonzero(np.diff(band[order])) + 1
    starts = np.concatenate(([0], edges)) if len(band) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(band)))
    members = order[np.repeat(sizes > 1, sizes)]
    sizes = sizes[sizes > 1]
    return members, np.cumsum(sizes) - sizes, sizes


def _ordered(left: NDArray[np.int64], right: NDArray[np.int64]) -> Pairs:
    return np.minimum(left, right), np.maximum(left, right)
