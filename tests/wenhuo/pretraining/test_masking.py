"""What is hidden: whole words, the share that was asked for, nothing that is drawn from a state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.pretraining.masking import RANDOM, UNTOUCHED, hidden, replaced, uniform

word_lengths = st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=30), min_size=1, max_size=8)


def laid_out(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Word beginnings, row and word of each token."""
    begins = np.array([place == 0 for row in rows for length in row for place in range(length)])
    row = np.repeat(np.arange(len(rows)), [sum(one) for one in rows])
    return begins, row, np.cumsum(begins) - 1


@given(word_lengths, st.floats(0.01, 0.9), st.integers(0, 2**40))
@settings(max_examples=200, deadline=None)
def test_words_are_hidden_whole_and_nearly_the_share(rows, share, seed):
    begins, row, word = laid_out(rows)
    drawn = np.stack([uniform(seed, which, row, np.arange(len(row))) for which in range(2)])
    places = hidden(begins, row, drawn, share)
    assert (np.diff(places) > 0).all()
    chosen = np.zeros(len(row), bool)
    chosen[places] = True
    for number in np.unique(word):
        assert chosen[word == number].all() or not chosen[word == number].any()
    for number, lengths in enumerate(rows):
        assert abs(chosen[row == number].sum() - share * sum(lengths)) <= max(lengths)


@given(word_lengths, st.integers(0, 2**40))
@settings(max_examples=50, deadline=None)
def test_a_row_is_masked_alike_whatever_stands_beside_it(rows, seed):
    begins, row, _ = laid_out(rows)
    place = np.concatenate([np.arange(sum(one)) for one in rows])
    drawn = np.stack([uniform(seed, row, which, place) for which in range(2)])
    together = hidden(begins, row, drawn, 0.3)
    alone = []
    for number in range(len(rows)):
        at = np.flatnonzero(row == number)
        alone += (at[0] + hidden(begins[at], np.zeros(len(at), int), drawn[:, at], 0.3)).tolist()
    assert together.tolist() == alone


def test_the_share_is_met_exactly_on_average():
    begins, row, _ = laid_out([[3, 1, 2, 2]] * 20_000)
    drawn = np.stack([uniform(7, which, row, np.arange(len(row))) for which in range(2)])
    assert len(hidden(begins, row, drawn, 0.15)) / len(row) == pytest.approx(0.15, abs=0.003)


def test_numbers_are_even_and_depend_on_every_counter():
    drawn = uniform(13, 5, np.arange(100_000), 3)
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(np.full(10, 10_000), rel=0.05)
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.02
    for other in (uniform(14, 5, np.arange(9), 3), uniform(13, 6, np.arange(9), 3), uniform(13, 5, np.arange(9), 4)):
        assert not np.isclose(other, drawn[:9]).any()
    assert (uniform(13, 5, np.arange(9), 3) == drawn[:9]).all()


def test_most_become_the_mask_some_another_token_some_stay():
    ids = np.full(100_000, 7)
    drawn = np.stack([uniform(1, which, np.arange(len(ids))) for which in range(2)])
    found = replaced(ids, drawn, 4, np.arange(5, 105))
    assert (found == 4).mean() == pytest.approx(1 - UNTOUCHED - RANDOM, abs=0.01)
    assert (found == 7).mean() == pytest.approx(UNTOUCHED + RANDOM / 100, abs=0.01)
    assert set(np.unique(found)) <= {4, *range(5, 105)}
