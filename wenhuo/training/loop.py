"""Fine-tune a network: AdamW, warm-up and linear decay, early stopping on validation, exact resumption.

Why not transformers' Trainer: docs/decisions/0004-own-training-loop.md.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import Tensor, nn

from wenhuo.console import say, track
from wenhuo.encoding.store import EncodedRows
from wenhuo.errors import DataError, WenhuoError
from wenhuo.models.devices import device_and_dtype
from wenhuo.models.scores import accuracy_and_macro_f1
from wenhuo.models.transformer import Network, logits, pad_rows
from wenhuo.training import checkpoint
from wenhuo.training.batches import epoch_batches
from wenhuo.training.checkpoint import Progress
from wenhuo.training.history import Point
from wenhuo.training.options import TransformerCandidate

SAVING_SHARE = 0.05
"""Saving checkpoints may take this share of the time; a slow disk saves less often."""


class Interrupted(WenhuoError):  # noqa: N818 - it is no error: somebody asked
    """A signal asked the training to end; a checkpoint has been saved."""


@dataclass
class Training:
    """What a training works on, put together once."""

    network: Network
    train: EncodedRows
    validation: EncodedRows
    pad: int
    options: TransformerCandidate
    seed: int
    checkpoints: Path
    watch: Callable[[list[Point]], None]
    """Called with new points of the curves as they come."""

    def __post_init__(self) -> None:
        self.device, self.dtype = device_and_dtype(self.options.precision)
        self.network.to(self.device)
        self.optimizer = make_optimizer(self.network, self.options)
        self.steps_an_epoch = len(self._batches(0))
        self.steps = self.steps_an_epoch * self.options.epochs
        self.saved_at, self.saving_took = time.monotonic(), 0.0
        self.stop = False

    def _batches(self, epoch: int) -> list[np.ndarray]:
        return epoch_batches(self.train.lengths, self.options.batch_size, self.seed, epoch)

    def run(self) -> list[Point]:
        """Train, leave the best epoch's weights in the network, and return the curves.

        Raises:
            Interrupted: after SIGTERM or SIGINT; run again to go on.
            DataError: the loss is not a number.
        """
        progress, best = self._begin()
        with self._signals():
            while progress.epochs_done < self.options.epochs and not self._out_of_patience(progress):
                self._epoch(progress, best)
                best = self._validate(progress, best)
                self._save_if_due(progress, best)
        self.network.load_state_dict(best)
        self.network.eval()
        return progress.points

    def _begin(self) -> tuple[Progress, dict[str, Tensor]]:
        found = checkpoint.latest(self.checkpoints)
        if found is None:
            return Progress(), {}
        progress, best = checkpoint.restore(found, self.network, self.optimizer, self.device)
        say(f"going on from the checkpoint at step {progress.step} of {self.steps}")
        self.watch(progress.points)
        return progress, best

    def _out_of_patience(self, progress: Progress) -> bool:
        return progress.best_epoch >= 0 and progress.epochs_done - 1 - progress.best_epoch >= self.options.patience

    def _epoch(self, progress: Progress, best: dict[str, Tensor]) -> None:
        done = progress.step - progress.epochs_done * self.steps_an_epoch
        batches = self._batches(progress.epochs_done)[done:]
        self.network.train()
        for rows in track(batches, f"epoch {progress.epochs_done + 1} of {self.options.epochs}, steps", len(batches)):
            self._step(rows, progress)
            self._save_if_due(progress, best)

    def _step(self, rows: np.ndarray, progress: Progress) -> None:
        ids, mask = pad_rows([self.train.row(i) for i in rows], self.pad)
        truth = torch.from_numpy(self.train.labels[rows].astype(np.int64)).to(self.device)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(progress.step, self.steps, self.options)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            loss = nn.functional.cross_entropy(self.network(ids.to(self.device), mask.to(self.device)).float(), truth)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        self._note_loss(loss.item(), progress)

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
        rows = [self.validation.row(i) for i in range(len(self.validation))]
        scores = logits(self.network, rows, self.pad, self.device, self.dtype)
        truth = torch.from_numpy(self.validation.labels.astype(np.int64))
        loss = float(nn.functional.cross_entropy(torch.from_numpy(scores), truth))
        accuracy, macro_f1 = accuracy_and_macro_f1(self.validation.labels, scores.argmax(1))
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
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def _add(self, progress: Progress, values: dict[str, float]) -> None:
        epoch = round(progress.step / self.steps_an_epoch, 6)
        points = [Point(progress.step, epoch, metric, value) for metric, value in values.items()]
        progress.points += points
        self.watch(points)

    def _save_if_due(self, progress: Progress, best: dict[str, Tensor]) -> None:
        waited = time.monotonic() - self.saved_at
        due = waited >= max(self.options.checkpoint_seconds, self.saving_took / SAVING_SHARE)
        if not (due or self.stop):
            return
        started = time.monotonic()
        checkpoint.save(self.checkpoints, progress, self.network, self.optimizer, best)
        self.saved_at = time.monotonic()
        self.saving_took = self.saved_at - started
        if self.stop:
            raise Interrupted(
                f"stopped at step {progress.step} of {self.steps}; a checkpoint is saved", "run again to go on from it"
            )

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Turn SIGTERM and SIGINT into a request to save and stop after the present step."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            self.stop = True

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def learning_rate(step: int, steps: int, options: TransformerCandidate) -> float:
    """The rate of a step (from 0): a linear rise in the warm-up, then a linear fall to 0."""
    rising = round(steps * options.warmup)
    if step < rising:
        return options.learning_rate * (step + 1) / rising
    return options.learning_rate * (steps - step) / max(1, steps - rising)


def make_optimizer(network: nn.Module, options: TransformerCandidate) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019), with no decay of biases and norms (tensors of one dimension)."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=options.learning_rate, fused=parameters[0].device.type in {"cpu", "cuda"})


def seed_everything(seed: int) -> None:
    """Seed torch and ask for deterministic algorithms (where a device lacks one, torch warns once)."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # nothing here reads memory it did not write; saves 4 %
