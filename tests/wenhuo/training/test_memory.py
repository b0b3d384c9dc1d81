"""Out of memory: the step is done again in smaller parts, the same rows a step, the same bytes after a kill."""

import numpy as np
import pytest
import torch

from tests.wenhuo.training.conftest import digest, train, train_with_a_kill
from wenhuo.errors import ModelError
from wenhuo.models import backbones, transformer
from wenhuo.models.heads import Mean
from wenhuo.training import checkpoint, loop


class SmallMemory:
    """Raises as a GPU would when a batch of more than ``tokens`` is trained on, in the passes that are asked for."""

    def __init__(self, monkeypatch, tokens, when=lambda number: True):
        self.raised, self.seen, number = 0, [], 0
        forward = transformer.Network.forward

        def limited(network, ids, mask):
            nonlocal number
            number += network.training
            if network.training and ids.numel() > tokens and when(number):
                self.raised += 1
                torch.rand(7)  # what was drawn before memory ran out must not matter
                raise torch.OutOfMemoryError("CUDA out of memory")
            if network.training:
                self.seen.append(ids.shape)
            return forward(network, ids, mask)

        monkeypatch.setattr(transformer.Network, "forward", limited)


STEPS = 15  # of an epoch of the tiny corpus in batches of 16


def test_out_of_memory_at_the_first_batch_halves_what_is_held_at_once(tokens, tmp_path, monkeypatch):
    memory = SmallMemory(monkeypatch, 150)
    _, points = train(tmp_path, tokens, epochs=1, log_steps=1)
    assert memory.raised >= 1
    assert sum(rows for rows, _ in memory.seen) >= 240, "every row is seen"
    assert sum(point.metric == "train/loss" for point in points) == STEPS, "the steps are as many as before"


def test_out_of_memory_at_the_last_batch(tokens, tmp_path, monkeypatch):
    memory = SmallMemory(monkeypatch, 10, when=lambda number: number == STEPS)
    _, points = train(tmp_path, tokens, epochs=1, log_steps=1)
    assert memory.raised == 1
    assert sum(point.metric == "train/loss" for point in points) == STEPS
    assert len(memory.seen) == STEPS + 1, "the last batch went in two parts"


def test_the_outcome_is_that_of_enough_memory_within_rounding(tokens, tmp_path, monkeypatch):
    more = {"epochs": 1, "dropout": 0.0, "optimizer": "sgd", "learning_rate": 0.05}
    _, expected = train(tmp_path / "enough", tokens, **more)
    SmallMemory(monkeypatch, 100)
    _, found = train(tmp_path / "little", tokens, **more)
    assert [p.value for p in found] == pytest.approx([p.value for p in expected], abs=1e-4)


def test_a_kill_after_memory_ran_out_changes_nothing(tokens, tmp_path, monkeypatch):
    SmallMemory(monkeypatch, 150)
    whole, points = train(tmp_path / "whole", tokens, epochs=2, objective={"r_drop": 1.0, "fgm": 0.05})
    broken, resumed = train_with_a_kill(
        tmp_path / "broken", tokens, monkeypatch, 17, epochs=2, objective={"r_drop": 1.0, "fgm": 0.05}
    )
    assert digest(whole) == digest(broken)
    assert points == resumed


def test_what_fitted_is_kept_in_the_checkpoint(tokens, tmp_path, monkeypatch):
    SmallMemory(monkeypatch, 150)
    seen = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda *given: (seen.append(given[1].tokens_at_once), save(*given)))
    monkeypatch.setattr(loop, "SAVING_SHARE", 1e9)
    train(tmp_path, tokens, epochs=1, checkpoint_seconds=0)
    assert all(value is None or value < 16 * 30 for value in seen)
    assert seen[-1] is not None


def test_one_row_that_does_not_fit_is_a_clear_error(tokens, tmp_path, monkeypatch):
    SmallMemory(monkeypatch, 1)
    with pytest.raises(ModelError, match=r"out of memory with one row of \d+ tokens"):
        train(tmp_path, tokens, epochs=1)


def test_no_memory_for_the_optimizer_is_a_clear_error(tokens, tmp_path, monkeypatch):
    def full(*_given, **_named):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    with pytest.raises(ModelError, match="out of memory in the optimizer"):
        train(tmp_path, tokens, epochs=1)


def test_predictions_go_in_halves(monkeypatch, random_numbers):
    torch.manual_seed(0)
    backbone = backbones.scratch_backbone(vocabulary=50, layers=1, hidden=16, heads=2, positions=64, dropout=0.1)
    network = transformer.Network(backbone, Mean(kind="mean"), 3, 0.1).eval()
    rows = [random_numbers.integers(5, 50, size).tolist() for size in random_numbers.integers(1, 60, 40)]
    expected = transformer.logits(network, rows, 0, torch.device("cpu"), torch.float32)
    forward = transformer.Network.forward

    def limited(network, ids, mask, limit=100):
        if ids.numel() > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(network, ids, mask)

    monkeypatch.setattr(transformer.Network, "forward", limited)
    found = transformer.logits(network, rows, 0, torch.device("cpu"), torch.float32)
    assert np.allclose(found, expected, atol=1e-5)
    with pytest.raises(ModelError, match="single row"):
        transformer.logits(network, [[2] * 101], 0, torch.device("cpu"), torch.float32)


@pytest.mark.parametrize("at_once", [1, 60, 200])
def test_a_training_in_parts_survives_a_kill(tokens, tmp_path, monkeypatch, at_once):
    whole, points = train(tmp_path / "whole", tokens, epochs=2, tokens_at_once=at_once)
    broken, resumed = train_with_a_kill(tmp_path / "broken", tokens, monkeypatch, 17, epochs=2, tokens_at_once=at_once)
    assert digest(whole) == digest(broken)
    assert points == resumed
