"""Character n-grams of folded texts as numbers, exact sets of them, and sketches of those sets.

Two texts are compared by their n-grams of every length from 1 to n: among 10,000 real reviews these tell planted copies
of short texts from what is alike by nature better than n-grams of one length (docs/decisions/0012). An n-gram of up to
three code points (21 bits each) is one number below 2^63, so no two n-grams are ever confused and the similarity of two
sets is the true one.

A sketch is a MinHash (Broder, "On the resemblance and containment of documents", 1997): two sketches agree in each
place with a probability equal to the Jaccard similarity of the sets. Sketches are of the longest n-grams alone: single
characters are common to texts that have nothing to do with each other, which would fill the buckets.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, log1p

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from wenhuo.near.folding import Folded

BITS = 21
"""Of a code point: 0x10ffff needs so many."""

FOUND = 0.99
"""With what probability a pair just at the threshold must share a bucket; a pair above it does more probably."""


@dataclass(frozen=True)
class Grams:
    """N-grams of texts, one text after the other; text ``i`` has ``values[offsets[i]:offsets[i + 1]]`` (int64)."""

    values: NDArray[np.int64]
    offsets: NDArray[np.int64]


def sets(folded: Folded, n: int) -> csr_array:
    """The set of n-grams of each text: one row a text, its sorted columns are the n-grams, every value is 1."""
    grams, there = _grams(folded, n)
    bounds = np.concatenate(([0], np.cumsum(there.sum(axis=1))))[folded.offsets]
    columns = grams[there]
    shape = (len(folded.offsets) - 1, np.iinfo(np.int64).max)
    rows = csr_array((np.ones(len(columns), np.int8), columns, bounds), shape=shape)
    rows.sum_duplicates()
    rows.data[:] = 1
    return rows


def longest(folded: Folded, n: int) -> Grams:
    """The n-grams of each text in order, with repeats; of a text shorter than ``n`` the text itself."""
    grams, there = _grams(folded, n)
    here = there[:, -1]
    lengths = np.diff(folded.offsets)
    for length in range(1, n):
        short = folded.offsets[:-1][lengths == length]
        grams[short, -1], here[short] = grams[short, length - 1], True
    return Grams(grams[here, -1], np.concatenate(([0], np.cumsum(here)))[folded.offsets])


def _grams(folded: Folded, n: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For every code point the n-grams of length 1 to n that begin there, and whether their text reaches so far."""
    codes, left = folded.codes.astype(np.int64), np.repeat(folded.offsets[1:], np.diff(folded.offsets))
    left -= np.arange(len(codes))
    grams = np.empty((len(codes), n), np.int64)
    grams[:, 0] = codes
    for ahead in range(1, n):
        grams[:, ahead] = grams[:, ahead - 1] << BITS
        grams[:-ahead, ahead] |= codes[ahead:]
    return grams, left[:, None] > np.arange(n)


def similarities(rows: csr_array, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Jaccard similarity of pairs of rows: what both hold, as a share of what either holds."""
    sizes = np.diff(rows.indptr)
    common = np.diff(rows[left].multiply(rows[right]).tocsr().indptr)
    return np.asarray(common / (sizes[left] + sizes[right] - common))


def bands(threshold: float, n: int, permutations: int) -> tuple[int, int]:
    """How a sketch is divided: into the longest bands that find pairs at the threshold, and no more than that takes.

    A pair of similarity s shares one of b buckets with a probability of 1 - (1 - s^r)^b, r being a band's hashes
    (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4). Longer bands bring fewer chance meetings. So bands
    decide about time and about what is missed, never about what is reported.

    Sketches know the longest n-grams alone, of which fewer are shared: with e characters of L replaced, e n (n + 1) / 2
    of n L n-grams of all lengths change, and e n of L longest ones; so s follows from the threshold.

    Returns:
        The number of bands and the hashes in each; with too few permutations for ``FOUND`` as many as they give.
    """
    changed = (1 - threshold) / (1 + threshold) * 2 * n / (n + 1)
    similarity = (1 - changed) / (1 + changed)
    for length in range(permutations, 0, -1):
        shared = min(similarity**length, 1 - 1e-9)
        count = max(1, ceil(log(1 - FOUND) / log1p(-shared)))
        if count * length <= permutations:
            return count, length
    return permutations, 1


def buckets(grams: Grams, count: int, length: int, seed: int) -> NDArray[np.uint32]:
    """In which bucket of each band a text stands: an array of bands by texts.

    32 bits say which; of five million texts some 3,000 pairs share one by chance, and are compared in vain.

    Args:
        grams: as ``longest`` returns them; every text has some.
        count: bands.
        length: hashes in each.
        seed: of the hashes.
    """
    from rensa import RMinHash

    values, offsets = _mixed(grams.values.astype(np.uint64)), grams.offsets.astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(values, offsets, count * length, seed)
    sketches = np.array(matrix.to_rows(), dtype=np.uint32).reshape(-1, count, length)
    mixed = np.zeros(sketches.shape[:2], dtype=np.uint64)
    for place in range(length):
        mixed = _mixed(mixed ^ sketches[:, :, place])
    return np.ascontiguousarray(mixed.T >> np.uint64(32)).astype(np.uint32)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers scattered over 64 bits, different ones to different ones (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
