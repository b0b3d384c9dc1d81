"""Character n-grams of folded texts as numbers, exact sets of them, and sketches of those sets.

An n-gram of up to three code points (21 bits each) is one number below 2^63, so no two n-grams are ever confused and
the similarity of two sets is the true one. A sketch is a MinHash (Broder, "On the resemblance and containment of
documents", 1997): two sketches agree in each place with a probability equal to the Jaccard similarity of the sets.
"""

from __future__ import annotations

from math import ceil, log, log1p

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from wenhuo.quality.near_folding import Folded

BITS = 21
"""Of a code point: 0x10ffff needs so many."""

FOUND = 0.99
"""With what probability a pair just at the threshold must share a bucket; a pair above it does more probably."""


def sets(folded: Folded, n: int) -> csr_array:
    """The set of n-grams of each text: one row a text, its sorted columns are the n-grams, every value is 1.

    A text shorter than ``n`` has itself for its only n-gram; an empty one has none.
    """
    lengths = np.diff(folded.offsets)
    codes = folded.codes.astype(np.int64)
    grams = codes.copy()
    for ahead in range(1, n):
        grams <<= BITS
        grams[:-ahead] |= codes[ahead:]
    kept = np.arange(len(codes)) + n <= np.repeat(folded.offsets[1:], lengths)
    for length in range(1, n):
        short = folded.offsets[:-1][lengths == length]
        kept[short] = True
        grams[short] = sum(codes[short + place] << BITS * (length - 1 - place) for place in range(length))
    counts = np.where(lengths > 0, np.maximum(lengths - n + 1, 1), 0)
    bounds = np.concatenate(([0], np.cumsum(counts)))
    grams = grams[kept]
    rows = csr_array((np.ones(len(grams), np.int8), grams, bounds), shape=(len(lengths), np.iinfo(np.int64).max))
    rows.sum_duplicates()
    rows.data[:] = 1
    return rows


def similarities(rows: csr_array, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Jaccard similarity of pairs of rows: what both hold, as a share of what either holds."""
    sizes = np.diff(rows.indptr)
    common = np.diff(rows[left].multiply(rows[right]).tocsr().indptr)
    return np.asarray(common / (sizes[left] + sizes[right] - common))


def bands(threshold: float, permutations: int) -> tuple[int, int]:
    """How a sketch is divided: into the longest bands that find pairs at the threshold, and no more than that takes.

    A pair of similarity t shares one of b buckets with a probability of 1 - (1 - t^r)^b, r being a band's hashes
    (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4). Longer bands bring fewer chance meetings. So bands
    decide about time and about what is missed, never about what is reported.

    Returns:
        The number of bands and the hashes in each; with too few permutations for ``FOUND`` as many as they give.
    """
    for length in range(permutations, 0, -1):
        shared = min(threshold**length, 1 - 1e-9)
        count = max(1, ceil(log(1 - FOUND) / log1p(-shared)))
        if count * length <= permutations:
            return count, length
    return permutations, 1


def buckets(rows: csr_array, count: int, length: int, seed: int) -> NDArray[np.uint32]:
    """In which bucket of each band a text stands: an array of bands by texts.

    32 bits say which; of five million texts some 3,000 pairs share one by chance, and are compared in vain.

    Args:
        rows: as ``sets`` returns them, none empty.
        count: bands.
        length: hashes in each.
        seed: of the hashes.
    """
    from rensa import RMinHash

    grams = _mixed(rows.indices.astype(np.uint64))
    bounds = rows.indptr.astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(grams, bounds, count * length, seed)
    sketches = np.array(matrix.to_rows(), dtype=np.uint32).reshape(rows.shape[0], count, length)
    mixed = np.zeros((rows.shape[0], count), dtype=np.uint64)
    for place in range(length):
        mixed = _mixed(mixed ^ sketches[:, :, place])
    return np.ascontiguousarray(mixed.T >> np.uint64(32)).astype(np.uint32)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers scattered over 64 bits, different ones to different ones (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
