"""Which texts are worth comparing: those that share a bucket of a band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALL = 20
"""In a bucket of up to so many texts every pair is looked at, in a larger one each text's neighbours and the first."""

NEIGHBOURS = 3

HALF = np.uint64(32)

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Buckets:
    """The buckets of one band that hold two texts or more.

    Attributes:
        members: numbers of texts, bucket by bucket.
        starts: where each bucket begins among the members.
        sizes: its texts.
    """

    members: Numbers
    starts: Numbers
    sizes: Numbers

    def unlooked(self) -> int:
        """How many pairs of texts share a large bucket and are not among its candidates."""
        large = [int(size) for size in self.sizes[self.sizes > SMALL]]
        return sum((size - NEIGHBOURS - 1) * (size - NEIGHBOURS - 2) // 2 for size in large)


def shared(band: NDArray[np.uint32], other: NDArray[np.uint32]) -> Buckets:
    """Sort texts into buckets.

    Args:
        band: each text's bucket in this band.
        other: each text's bucket in another one: in a large bucket texts are put in this order, so that those alike are
            neighbours.
    """
    members, buckets = _sorted(band)
    edges = np.flatnonzero(np.diff(buckets)) + 1
    starts = np.concatenate(([0], edges)) if len(band) else np.zeros(0, np.int64)
    sizes = np.diff(np.append(starts, len(band)))
    members, sizes = members[np.repeat(sizes > 1, sizes)], sizes[sizes > 1]
    large = np.repeat(sizes > SMALL, sizes)
    if large.any():
        crowd = members[large]
        members[large] = crowd[np.lexsort((crowd, other[crowd], band[crowd]))]
    return Buckets(members, np.cumsum(sizes) - sizes, sizes)


def candidates(found: Buckets) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairs of texts that share a bucket, the smaller numbers first; at most one pair a text at a time, none twice."""
    members, sizes = found.members, found.sizes
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    large = np.repeat(sizes > SMALL, sizes)
    for ahead in range(1, min(SMALL, int(sizes.max(initial=1)))):
        together = (bucket[ahead:] == bucket[:-ahead]) & (~large[ahead:] | (ahead <= NEIGHBOURS))
        here = np.flatnonzero(together)
        yield _ordered(members[here], members[here + ahead])
    firsts = np.repeat(found.starts, sizes)
    far = np.flatnonzero(large & (np.arange(len(members)) - firsts > NEIGHBOURS))
    yield _ordered(members[firsts[far]], members[far])


def _sorted(band: NDArray[np.uint32]) -> tuple[Numbers, NDArray[np.uint32]]:
    """Texts by bucket, and their buckets. Bucket and number in one value sort ten times faster than an argsort."""
    both = (band.astype(np.uint64) << HALF) | np.arange(len(band), dtype=np.uint64)
    both.sort()
    return both.astype(np.uint32).astype(np.int64), (both >> HALF).astype(np.uint32)


def _ordered(left: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
    return np.minimum(left, right), np.maximum(left, right)
