"""Batches hold every row once, are of like length, and keep to their budget; a plan knows all of its steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wenhuo.training.conftest import digest, options, train, train_with_a_kill
from wenhuo.training.batches import Plan


def test_batches_hold_every_row_once_and_like_lengths():
    lengths = np.random.default_rng(0).integers(5, 200, 5000)
    plan = Plan(lengths, 13, 2, 32)
    found = plan.batches(0)
    assert sorted(np.concatenate(found)) == list(range(5000))
    padded = sum(len(b) * lengths[b].max() for b in found)
    assert padded < 1.1 * lengths.sum()
    assert [b.tolist() for b in found] == [b.tolist() for b in plan.batches(0)]
    assert [b.tolist() for b in found] != [b.tolist() for b in plan.batches(1)]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=400), st.integers(8, 2000), st.integers(0, 9))
def test_a_budget_of_tokens_is_kept_and_filled(lengths, tokens, seed):
    lengths = np.array(lengths)
    plan = Plan(lengths, seed, 2, None, tokens)
    for epoch in range(2):
        found = plan.batches(epoch)
        assert sorted(np.concatenate(found)) == list(range(len(lengths)))
        assert all(len(b) * lengths[b].max() <= tokens or len(b) == 1 for b in found)
    assert plan.starts == [0, len(plan.batches(0)), len(plan.batches(0)) + len(plan.batches(1))]


def test_batches_of_tokens_waste_little():
    lengths = np.random.default_rng(0).integers(5, 200, 5000)
    found = Plan(lengths, 13, 1, None, 4096).batches(0)
    assert sum(len(b) * lengths[b].max() for b in found) < 1.05 * lengths.sum()
    assert len(found) < 1.1 * lengths.sum() / 4096


@pytest.mark.parametrize("size", [{"rows": 7}, {"rows": None, "tokens": 300}])
def test_steps_are_epochs(size):
    plan = Plan(np.arange(1, 101), 13, 3, **size)
    assert [plan.epochs_at(step) for step in plan.starts] == [0, 1, 2, 3]
    halves = [plan.epochs_at(step) for step in range(plan.steps + 1)]
    assert halves == sorted(halves)


def test_a_training_by_tokens_learns_and_survives_a_kill(tokens, tmp_path, monkeypatch):
    more = {"batch_size": None, "batch_tokens": 300, "epochs": 3, "learning_rate": 0.01}
    whole, points = train(tmp_path / "whole", tokens, **more)
    assert max(point.value for point in points if point.metric == "validation/macro_f1") > 0.9
    broken, resumed = train_with_a_kill(tmp_path / "broken", tokens, monkeypatch, 20, **more)
    assert digest(whole) == digest(broken)
    assert points == resumed


def test_a_step_has_one_size():
    for wrong in ({"batch_tokens": 100}, {"batch_size": None}):
        with pytest.raises(ValidationError, match="batch_size or batch_tokens"):
            options(**wrong)
