"""What is hidden from a masked language model: whole words, or single tokens (Devlin et al. 2019; Cui et al. 2021).

Nothing is drawn from a generator that has a state. Every draw is a hash of the seed, the pass, the row and the token's
place, so that a row is masked alike in whatever batch, on however many devices, and after however many interruptions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

UNTOUCHED, RANDOM = 0.1, 0.1
"""Of the hidden tokens, so many stay as they are and so many become any other; the rest becomes [MASK]."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Words(NamedTuple):
    """Words of some rows, one after the other: the row each stands in, and how many tokens it has."""

    row: Integers
    length: Integers


def uniform(*counters: Integers | int) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1), one for each combination of counters (SplitMix64 of Steele et al. 2014, folded over them)."""
    state = np.zeros((), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for counter in counters:
            state = (state + np.asarray(counter).astype(np.uint64) + np.uint64(1)) * _STEP
            state = (state ^ (state >> np.uint64(30))) * _MIX[0]
            state = (state ^ (state >> np.uint64(27))) * _MIX[1]
            state = state ^ (state >> np.uint64(31))
    drawn: npt.NDArray[np.float64] = (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn


def hidden(begins: npt.NDArray[np.bool_], row: Integers, drawn: npt.NDArray[np.float64], share: float) -> Integers:
    """Places of the tokens that are hidden, ascending.

    In each row words are taken in a random order until the share is reached; the word that reaches it is taken with the
    probability that makes the expected number of hidden tokens exactly the share.

    Args:
        begins: whether a token begins a word, shape (tokens,); the first token of a row always does.
        row: the row of each token, ascending, shape (tokens,).
        drawn: two random numbers for each token, shape (2, tokens); those of a word are its first token's.
        share: of each row's tokens.
    """
    begins = begins | (np.diff(row, prepend=-1) > 0)
    first = np.flatnonzero(begins)
    words = Words(row[first], np.diff(first, append=len(row)))
    order = np.lexsort((drawn[0, first], words.row))
    before = np.cumsum(words.length[order]) - words.length[order]
    new_row = np.diff(words.row[order], prepend=-1) > 0
    before -= np.repeat(before[new_row], np.diff(np.flatnonzero(new_row), append=len(order)))
    budget = share * np.bincount(row)[words.row[order]]
    taken = np.zeros(len(first), dtype=np.bool_)
    taken[order] = before + drawn[1, first[order]] * words.length[order] < budget
    return np.flatnonzero(taken[np.cumsum(begins) - 1])


def replaced(ids: Integers, drawn: npt.NDArray[np.float64], mask: int, candidates: Integers) -> Integers:
    """What stands in the place of hidden tokens.

    Args:
        ids: the hidden tokens, shape (k,).
        drawn: two random numbers for each, shape (2, k).
        mask: the id of [MASK].
        candidates: ids that a random token is chosen from.
    """
    other = candidates[(drawn[1] * len(candidates)).astype(np.int64)]
    return np.where(drawn[0] < UNTOUCHED, ids, np.where(drawn[0] < UNTOUCHED + RANDOM, other, mask))
