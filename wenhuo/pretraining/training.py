"""The loop of a pretraining: steps until the limit, measurements on held-out rows, exact resumption."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from wenhuo.console import say
from wenhuo.errors import DataError, ModelError
from wenhuo.pretraining import checkpoint
from wenhuo.pretraining.batches import Batch, Text, ahead
from wenhuo.pretraining.checkpoint import Progress
from wenhuo.pretraining.course import Course, make_optimizer
from wenhuo.pretraining.model import Network
from wenhuo.pretraining.store import Integers
from wenhuo.pretraining.sums import Asked, means, nothing, plain, to_minimise
from wenhuo.training.history import Point
from wenhuo.training.interruption import Interrupted, StopRequest
from wenhuo.training.processes import any_of, first, from_first, least, rank, shares, size, sum_gradients, total
from wenhuo.training.states import generators, latest, restore_generators

SAVING_SHARE = 0.05
"""Saving checkpoints may take this share of the time; a slow disk saves less often."""


@dataclass
class Training:
    """What a pretraining works on.

    Attributes:
        model: the network, on its device.
        text: the rows.
        course: limit and learning rate.
        dtype: of matrix products.
        checkpoints: where they are kept.
        watch: called with new points of the curves as they come.
        kept: called after every measurement, with what is done and its share of the whole.
    """

    model: Network
    text: Text
    course: Course
    dtype: torch.dtype
    checkpoints: Path
    watch: Callable[[list[Point]], None]
    kept: Callable[[Progress, float], None] = lambda progress, share: None

    def __post_init__(self) -> None:
        self.options = self.text.options
        self.optimizer = make_optimizer(self.model, self.options)
        self.saved_at, self.saving_took = time.monotonic(), 0.0
        self.stop = StopRequest()

    def run(self) -> Progress:
        """Train to the limit.

        Raises:
            Interrupted: after SIGTERM or SIGINT; run again to go on.
            DataError: the loss is not a number.
            ModelError: one row alone is too large for the memory.
        """
        progress = self._begin()
        self.model.train()
        with self.stop:
            while self._share(progress) < 1:
                self._pass(progress)
        self.model.eval()
        return progress

    def _begin(self) -> Progress:
        found = from_first(lambda: latest(self.checkpoints))
        if found is None:
            return Progress(tokens_at_once=self.options.tokens_at_once)
        progress = checkpoint.restore(found, self.model, self.optimizer)
        say(f"pretrain: going on from step {progress.step:,}, {progress.tokens:,} tokens")
        self.watch(progress.points)
        return progress

    def _share(self, progress: Progress) -> float:
        return self.course.share(progress.step, progress.tokens)

    def _pass(self, progress: Progress) -> None:
        """A pass over the text from where it stands, to its end or the limit."""
        plan = self.text.plan(progress.epoch)[progress.batch :]
        made = ahead(lambda numbers: self._own(numbers, progress.epoch), plan)
        for numbers, batch in zip(plan, self._told(made, progress), strict=True):
            self._step(numbers, batch, progress)
            self._measure_if_due(progress)
            self._save_if_due(progress)
            if self._share(progress) >= 1:
                return
        progress.epoch, progress.batch = progress.epoch + 1, 0

    def _own(self, numbers: Integers, epoch: int) -> Batch | None:
        """This process's share of a batch; None where it has none."""
        own = numbers[shares(self.text.lengths[numbers])[rank()]]
        return self.text.batch(own, epoch) if len(own) else None

    def _told(self, batches: Iterator[Batch | None], progress: Progress) -> Iterator[Batch | None]:
        """Say every half a minute how far it is and how long it will take."""
        began, spoken = (time.monotonic(), self._share(progress), progress.tokens), time.monotonic()
        for batch in batches:
            yield batch
            if time.monotonic() - spoken > 30:
                spoken = time.monotonic()
                gone, share = spoken - began[0], self._share(progress)
                left = (1 - share) / max(1e-9, share - began[1]) * gone / 60
                speed = (progress.tokens - began[2]) / gone
                say(f"pretrain: {share:.1%}, {speed:,.0f} tokens a second, {left:,.0f} minutes to go")

    def _step(self, numbers: Integers, batch: Batch | None, progress: Progress) -> None:
        rate = self.course.rate(self._share(progress))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        sums = self._gradient_that_fits(batch, progress)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        progress.batch += 1
        progress.tokens += int(self.text.lengths[numbers].sum())
        self._note(sums, rate, progress)

    def _gradient_that_fits(self, batch: Batch | None, progress: Progress) -> list[float]:
        """The gradient of a batch, from its start with half as many tokens at once while memory runs out."""
        before = generators()
        while True:
            fits, sums = True, nothing()
            try:
                sums = self._gradient(batch, progress.tokens_at_once)
            except torch.OutOfMemoryError:
                fits = False  # not handled here: the error holds on to the memory
            *sums, misfits = total(*sums, not fits)
            if not misfits:
                sum_gradients(list(self.model.parameters()))
                return sums
            self.optimizer.zero_grad(set_to_none=True)
            restore_generators(before)
            progress.tokens_at_once = least(self._halved(batch, progress.tokens_at_once, fits=fits))
            say(f"out of memory: {progress.tokens_at_once:,} tokens at once from now on, in steps of as many as before")

    def _halved(self, batch: Batch | None, at_once: int | None, *, fits: bool) -> int:
        if batch is None or fits:
            return at_once or 1 << 30
        rows, width = batch.ids.shape
        if min(rows, (at_once or rows * width) // width) <= 1:
            raise ModelError(f"out of memory with one row of {width} tokens", "lower max_tokens or the model's size")
        return int(min(at_once or rows * width, rows * width)) // 2

    def _gradient(self, batch: Batch | None, at_once: int | None) -> list[float]:
        """Add a batch's gradient, as far as it is this process's, to the parameters; return its sums."""
        asked = Asked.over_all(batch)
        found_sums = np.array(nothing())
        for part in parts(batch, at_once) if batch is not None else ():
            with self._cast():
                found = self.model(part)
            torch.autograd.backward(to_minimise(found, asked, self.options.detection))
            found_sums += plain(found)
        return [float(value) for value in found_sums]

    def _cast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.model.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)

    def _note(self, sums: list[float], rate: float, progress: Progress) -> None:
        if not all(map(math.isfinite, sums)):
            wrong = next(value for value in sums if not math.isfinite(value))
            raise DataError(f"the loss is {wrong} at step {progress.step}", "lower learning_rate")
        progress.sums = [a + b for a, b in zip(progress.sums, sums, strict=True)]
        if progress.step % self.options.log_steps == 0:
            self._add(progress, {**means(progress.sums, "train/"), "learning_rate": rate, "tokens": progress.tokens})
            progress.sums = nothing()

    def _add(self, progress: Progress, values: dict[str, float]) -> None:
        epoch = round(progress.tokens / self.course.pass_tokens, 6)
        points = [Point(progress.step, epoch, metric, value) for metric, value in values.items()]
        progress.points += points
        self.watch(points)

    def _measure_if_due(self, progress: Progress) -> None:
        share = self._share(progress)
        if share < (progress.measured + 1) / self.options.measurements:
            return
        while (progress.measured + 1) / self.options.measurements <= min(share, 1):
            progress.measured += 1
        found = self._measure()
        if found:
            self._add(progress, {f"held_out/{name}": value for name, value in found.items()})
            told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
            say(f"pretrain: {progress.tokens:,} tokens, held-out {told}")
        self.kept(progress, share)

    @torch.no_grad()
    def _measure(self) -> dict[str, float]:
        found_sums = np.array(nothing())
        self.model.eval()
        for batch in self.text.measured(self.options.batch_tokens)[rank() :: size()]:
            for part in parts(batch, self.options.tokens_at_once):
                with self._cast():
                    found_sums += plain(self.model(part))
        self.model.train()
        return means(total(*found_sums), "")

    def _save_if_due(self, progress: Progress) -> None:
        waited = time.monotonic() - self.saved_at
        due = waited >= max(self.options.checkpoint_seconds, self.saving_took / SAVING_SHARE) and first()
        due, stop = any_of(due, self.stop.asked)
        if not (due or stop):
            return
        started = time.monotonic()
        if first():
            checkpoint.save(self.checkpoints, progress, self.model, self.optimizer)
        self.saved_at = time.monotonic()
        self.saving_took = self.saved_at - started
        if stop:
            raise Interrupted(f"stopped at step {progress.step}; a checkpoint is saved", "run again to go on from it")


def parts(batch: Batch, at_once: int | None) -> Iterator[Batch]:
    """A batch in parts of at most so many tokens (a row of more is a part of its own); None: the batch."""
    rows, width = batch.ids.shape
    step = rows if at_once is None else max(1, at_once // width)
    owner = batch.places // width
    for start in range(0, rows, step):
        here, inside = slice(start, start + step), (owner >= start) & (owner < start + step)
        places = batch.places[inside] - start * width
        filled = (batch.ids[here], batch.mask[here], batch.second[here])
        yield Batch(*filled, places, batch.targets[inside], batch.labels[here], batch.drawn[inside])
