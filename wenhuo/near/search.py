"""Near-duplicates in a corpus of any size: MinHash sketches find what may be alike, true Jaccard similarity decides.

1. Texts are folded (``near_folding``); those that fold to the same are the same, and the rest is done for one of them.
2. Sketches of their n-gram sets are cut into bands; texts with an equal band share a bucket (``near_shingles``).
3. Band by band, pairs that share a bucket are compared by their exact n-gram sets (``near_candidates``).
4. Pairs at or above the threshold join clusters.

Folded texts and bands wait in scratch files (about 300 bytes a text of 40 characters); in memory are a few numbers a
text.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from wenhuo.console import track
from wenhuo.near.candidates import SMALL, candidates, shared
from wenhuo.near.options import NearDuplicates
from wenhuo.near.shingles import bands, buckets, longest, sets, similarities
from wenhuo.near.store import PORTION, Texts, opened, write

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """What was found. Rows are numbered in the order in which their texts came.

    Attributes:
        cluster: for each row the first row of its cluster, -1 when it has none (int64).
        similarity: for each row the similarity to the nearest row found, NaN when there is none (float32).
        edges: pairs of different folded texts that are near-duplicates, by the first row of each (uint32, two columns,
            the earlier row first, sorted).
        pairs: how many there are.
        unlooked: pairs that shared a bucket of more than 20 texts and were not compared there (a pair counts once a
            bucket; most are joined through others).
        texts: different folded texts that were looked at.
    """

    cluster: Rows
    similarity: NDArray[np.float32]
    edges: NDArray[np.uint32]
    pairs: int
    unlooked: int
    texts: int


def find(chunks: Iterable[pl.Series], options: NearDuplicates, scratch: Path) -> Near:
    """Find the near-duplicates among texts.

    Args:
        chunks: the texts in the order of their rows; nulls and blank texts are near nothing.
        options: what counts as near; with ``threshold`` null only texts that fold to the same are found.
        scratch: an existing folder for temporary files, which are deleted in the end.

    Returns:
        The same for the same texts and options, whatever the size of the chunks and the number of threads.
    """
    store = scratch / "codes"
    try:
        lengths, first = write(chunks, store)
        with opened(store, lengths, first) as texts:
            search = _Search.among(texts)
            if options.threshold is not None:
                search.run(options, options.threshold, scratch)
        return search.gathered(first)
    finally:
        for path in (*scratch.glob("codes*"), *scratch.glob("band-*")):
            path.unlink(missing_ok=True)


@dataclass
class _Search:
    """What is known so far, by the numbers of the texts.

    Attributes:
        texts: that are compared.
        cluster: of each text, any number.
        members: of each cluster number.
        nearest: similarity to the nearest text found, 0 for none.
        found: sorted pairs, the left text's number in the upper half.
        unlooked: see ``Near``.
    """

    texts: Texts
    cluster: Rows
    members: Rows
    nearest: NDArray[np.float32]
    found: NDArray[np.uint64]
    unlooked: int = 0

    @classmethod
    def among(cls, texts: Texts) -> _Search:
        count = len(texts.rows)
        numbers = np.arange(count)
        return cls(texts, numbers, np.ones_like(numbers), np.zeros(count, np.float32), np.zeros(0, np.uint64))

    def run(self, options: NearDuplicates, threshold: float, scratch: Path) -> None:
        shape = bands(threshold, options.characters, options.permutations)
        count = shape[0]
        files = [scratch / f"band-{number}" for number in range(count)]
        _sketch(self.texts, options, shape, files)
        for number in track(range(count), "near-duplicates: bands compared", count):
            found = shared(*(np.fromfile(files[place % count], np.uint32) for place in (number, number + 1)))
            self.unlooked += found.unlooked()
            new = [self._compare(pairs, options.characters, threshold) for pairs in candidates(found)]
            self._join(np.concatenate(new))

    def _compare(self, pairs: tuple[Rows, Rows], n: int, threshold: float) -> NDArray[np.uint64]:
        """The pairs that are near-duplicates, of those that may be and were not found before."""
        left, right = pairs
        settled = (self.cluster[left] == self.cluster[right]) & (self.members[self.cluster[left]] > SMALL)
        keys = np.sort(_keys(left, right)[~settled])
        keys = keys[~_known(keys, self.found)]
        near = [self._near(keys[start : start + PORTION], n, threshold) for start in range(0, len(keys), PORTION)]
        return np.concatenate([keys[:0], *near])

    def _near(self, keys: NDArray[np.uint64], n: int, threshold: float) -> NDArray[np.uint64]:
        """Those of some pairs that reach the threshold; their texts' nearest neighbours are noted."""
        left, right = _numbers(keys)
        numbers, places = np.unique(np.concatenate((left, right)), return_inverse=True)
        alike = similarities(sets(self.texts.take(numbers), n), places[: len(left)], places[len(left) :])
        good = alike >= threshold - 1e-9
        for side in (left, right):
            np.maximum.at(self.nearest, side[good], alike[good].astype(np.float32))
        return keys[good]

    def _join(self, keys: NDArray[np.uint64]) -> None:
        if not len(keys):
            return
        self.found = np.sort(np.concatenate((self.found, keys)))  # no pair comes twice
        left, right = (self.cluster[side] for side in _numbers(keys))
        self.cluster = _components(left, right, len(self.members))[self.cluster]
        self.members = np.bincount(self.cluster)

    def gathered(self, first: Rows) -> Near:
        """What was found, for the rows."""
        number = np.full(len(first), -1)
        number[self.texts.rows] = np.arange(len(self.texts.rows))
        mine = number[first]  # of each row; -1 where folding left nothing
        heads = np.full(len(self.members), -1)
        heads[self.cluster[::-1]] = self.texts.rows[::-1]
        cluster = np.where(mine >= 0, heads[self.cluster[mine]], first) if len(heads) else first.copy()
        cluster[np.bincount(cluster, minlength=len(first))[cluster] == 1] = -1
        repeated = np.bincount(first, minlength=len(first))[first] > 1
        nearest = np.where(repeated, 1, np.where(mine >= 0, self.nearest[mine], 0)) if len(heads) else repeated * 1.0
        edges = np.stack([self.texts.rows[side].astype(np.uint32) for side in _numbers(self.found)], axis=1)
        return Near(
            cluster=cluster,
            similarity=np.where(nearest > 0, nearest, np.nan).astype(np.float32),
            edges=edges,
            pairs=len(edges),
            unlooked=self.unlooked,
            texts=len(self.texts.rows),
        )


def _sketch(texts: Texts, options: NearDuplicates, shape: tuple[int, int], files: list[Path]) -> None:
    """Write every text's bucket in each band, a file a band."""
    starts = range(0, len(texts.rows), PORTION)
    with ExitStack() as stack:
        outs = [stack.enter_context(path.open("wb")) for path in files]
        for start in track(starts, f"near-duplicates: sketches, portions of {PORTION:,}", len(starts)):
            some = texts.take(np.arange(start, min(start + PORTION, len(texts.rows))))
            for out, band in zip(outs, buckets(longest(some, options.characters), *shape, options.seed), strict=True):
                band.tofile(out)


def _components(left: Rows, right: Rows, count: int) -> Rows:
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _keys(left: Rows, right: Rows) -> NDArray[np.uint64]:
    return (left.astype(np.uint64) << np.uint64(32)) | right.astype(np.uint64)


def _numbers(keys: NDArray[np.uint64]) -> tuple[Rows, Rows]:
    return (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _known(keys: NDArray[np.uint64], among: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys stand among sorted ones."""
    if not len(among):
        return np.zeros(len(keys), np.bool_)
    return np.equal(among[np.minimum(np.searchsorted(among, keys), len(among) - 1)], keys)
