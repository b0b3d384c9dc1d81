"""Embeddings that begin from counts: what stands together lies together."""

import numpy as np
import pytest

from wenhuo.pretraining.beginnings import NOISE, OFFSETS, SCALE, embeddings, frequencies, looking, sinusoids
from wenhuo.pretraining.store import Rows


@pytest.fixture
def rows(random_numbers) -> Rows:
    """Rows of one of two halves of a vocabulary of 40, entry 0 in all of them; entries 38 and 39 never stand there."""
    made = []
    for number in range(400):
        first = 1 if number % 2 else 20
        made.append(np.concatenate([[0], random_numbers.integers(first, first + 18, 9)]))
    values = np.concatenate(made).astype(np.uint16)
    return Rows(values | np.uint16(1 << 15), np.arange(0, 4001, 10), np.zeros(400, np.uint32))


def test_what_stands_together_lies_together(rows):
    made = embeddings(rows, 40, 16, seed=0)
    unit = made / np.linalg.norm(made, axis=1, keepdims=True)
    near = unit @ unit.T
    first, second = slice(1, 19), slice(20, 38)
    assert near[first, first].mean() > near[first, second].mean() + 0.2
    assert near[second, second].mean() > near[first, second].mean() + 0.2
    assert (embeddings(rows, 40, 16, seed=0) == made).all()


def test_they_are_of_the_size_that_was_asked_for(rows):
    made = embeddings(rows, 40, 16, seed=0)
    counts = frequencies(rows, 40)
    assert counts.sum() == 4000
    assert counts[0] == 400
    size = np.sqrt((counts / counts.sum() @ made**2).sum() / 16)
    assert size == pytest.approx(np.hypot(SCALE, NOISE), rel=0.1)
    assert made[39].std() == pytest.approx(NOISE, rel=0.6)


def test_a_width_beyond_the_vocabulary_and_no_text_at_all(rows):
    assert embeddings(rows, 40, 64, seed=0).shape == (40, 64)
    empty = Rows(np.zeros(0, np.uint16), np.zeros(1, np.int64), np.zeros(0, np.uint32))
    assert np.isfinite(embeddings(empty, 40, 8, seed=0)).all()


def test_positions_differ_and_near_ones_are_alike():
    made = sinusoids(100, 32)
    near = made @ made.T
    assert (np.diff(near[50, 50:54]) < 0).all()
    assert made.std() == pytest.approx(SCALE, rel=0.3)
    assert sinusoids(10, 7).shape == (10, 7)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize(("width", "size"), [(256, 64), (128, 32), (16, 8)])
def test_a_head_looks_where_it_is_told_to(offset, width, size):
    query, key = looking(offset, width, size)
    states = sinusoids(100, width)
    scores = (states @ query.T) @ (states @ key.T).T
    assert (scores[10:90].argmax(1) == np.arange(10, 90) + offset).all()
