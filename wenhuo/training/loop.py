"""Fine-tune a network: epochs of steps, early stopping on validation, exact resumption.

Why not transformers' Trainer: docs/decisions/0004-own-training-loop.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from wenhuo.console import say, track
from wenhuo.errors import DataError
from wenhuo.models.scores import accuracy_and_macro_f1
from wenhuo.models.transformer import Network
from wenhuo.training import checkpoint, processes, states
from wenhuo.training.batches import Plan
from wenhuo.training.checkpoint import Progress
from wenhuo.training.dividing import all_scores
from wenhuo.training.history import Point
from wenhuo.training.interruption import Interrupted, StopRequest
from wenhuo.training.optimizers import learning_rate, make_optimizer
from wenhuo.training.options import TransformerCandidate
from wenhuo.training.sharding import collect
from wenhuo.training.sources import Source
from wenhuo.training.steps import Stepper
from wenhuo.training.trainable import trained_state

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule

SAVING_SHARE = 0.05
"""Saving checkpoints may take this share of the time; a slow disk saves less often."""


@dataclass
class Training:
    """What a training works on, put together once."""

    network: Network
    train: Source
    validation: Source
    plan: Plan
    options: TransformerCandidate
    weights: Tensor | None
    ranks: RankSchedule | None
    checkpoints: Path
    watch: Callable[[list[Point]], None]
    """Called with new points of the curves as they come."""
    plain: Network
    """Where the weights are in the end: ``network`` itself, or the one whose sharded twin that is."""

    def __post_init__(self) -> None:
        self.optimizer = make_optimizer(self.network, self.options)
        self.stepper = Stepper(self.network, self.train, self.optimizer, self.options, self.weights, self.ranks)
        self.saved_at, self.saving_took = time.monotonic(), 0.0
        self.stop = StopRequest()

    def run(self) -> list[Point]:
        """Train, leave the best epoch's weights in ``plain`` (of the first process), and return the curves.

        Raises:
            Interrupted: after SIGTERM or SIGINT to any of the processes; run again to go on.
            DataError: the loss is not a number.
        """
        progress, best = self._begin()
        self.stepper.at_once = progress.tokens_at_once
        with self.stop:
            while progress.epochs_done < self.options.epochs and not self._out_of_patience(progress):
                self._epoch(progress, best)
                best = self._validate(progress, best)
                self._save_if_due(progress, best)
        self.network.load_state_dict(best, strict=False)
        collect(self.plain, self.network)
        self.plain.eval()
        return progress.points

    def _begin(self) -> tuple[Progress, dict[str, Tensor]]:
        found = processes.from_first(lambda: states.latest(self.checkpoints))
        if found is None:
            return Progress(tokens_at_once=self.options.tokens_at_once), {}
        progress, best = checkpoint.restore(found, self.network, self.optimizer, self.ranks)
        say(f"going on from the checkpoint at step {progress.step} of {self.plan.steps}")
        self.watch(progress.points)
        return progress, best

    def _out_of_patience(self, progress: Progress) -> bool:
        return progress.best_epoch >= 0 and progress.epochs_done - 1 - progress.best_epoch >= self.options.patience

    def _epoch(self, progress: Progress, best: dict[str, Tensor]) -> None:
        done = progress.step - self.plan.starts[progress.epochs_done]
        batches = self.plan.batches(progress.epochs_done)[done:]
        self.network.train()
        for rows in track(batches, f"epoch {progress.epochs_done + 1} of {self.options.epochs}, steps", len(batches)):
            rate = learning_rate(progress.step, self.plan.steps, self.options)
            loss = self.stepper.step(rows, rate, progress.step + 1)
            progress.step += 1
            progress.tokens_at_once = self.stepper.at_once
            self._note_loss(loss, progress)
            self._save_if_due(progress, best)

    def _note_loss(self, loss: float, progress: Progress) -> None:
        if not np.isfinite(loss):
            raise DataError(f"the loss is {loss} at step {progress.step}", "lower the candidate's learning_rate")
        progress.loss_sum += loss
        progress.loss_steps += 1
        if progress.loss_steps == self.options.log_steps:
            self._add(progress, {"train/loss": progress.loss_sum / progress.loss_steps})
            progress.loss_sum, progress.loss_steps = 0.0, 0

    def _validate(self, progress: Progress, best: dict[str, Tensor]) -> dict[str, Tensor]:
        """Measure the epoch that just ended; return the best weights so far."""
        self.network.eval()
        scores, labels = all_scores(self.validation), self.validation.rows.labels
        loss = float(nn.functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(labels.astype(np.int64))))
        accuracy, macro_f1 = accuracy_and_macro_f1(labels, scores.argmax(1))
        progress.epochs_done += 1
        named = {"loss": loss, "accuracy": accuracy, "macro_f1": macro_f1}
        self._add(progress, {f"validation/{name}": value for name, value in named.items()})
        say(
            f"epoch {progress.epochs_done} of {self.options.epochs}: validation loss {loss:.4f}, "
            f"accuracy {accuracy:.4f}, macro-F1 {macro_f1:.4f}"
        )
        if macro_f1 <= progress.best_score:
            return best
        progress.best_score, progress.best_epoch = macro_f1, progress.epochs_done - 1
        return {name: tensor.detach().clone() for name, tensor in trained_state(self.network).items()}

    def _add(self, progress: Progress, values: dict[str, float]) -> None:
        epoch = round(self.plan.epochs_at(progress.step), 6)
        points = [Point(progress.step, epoch, metric, value) for metric, value in values.items()]
        progress.points += points
        self.watch(points)

    def _save_if_due(self, progress: Progress, best: dict[str, Tensor]) -> None:
        waited = time.monotonic() - self.saved_at
        due = waited >= max(self.options.checkpoint_seconds, self.saving_took / SAVING_SHARE)
        due, stop = processes.any_of(due, self.stop.asked)
        if not (due or stop):
            return
        started = time.monotonic()
        checkpoint.save(self.checkpoints, progress, self.network, self.optimizer, best, self.ranks)
        self.saved_at = time.monotonic()
        self.saving_took = self.saved_at - started
        if stop:
            raise Interrupted(
                f"stopped at step {progress.step} of {self.plan.steps}; a checkpoint is saved",
                "run again to go on from it",
            )


def seed_everything(seed: int) -> None:
    """Seed torch and ask for deterministic algorithms (where a device lacks one, torch warns once)."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # nothing here reads memory it did not write; saves 4 %
