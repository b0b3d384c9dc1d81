"""One step of the optimizer: the gradient of a batch by any objective, its clipping, and the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from wenhuo.console import say
from wenhuo.errors import ModelError
from wenhuo.models.transformer import Network, Positions
from wenhuo.training import processes
from wenhuo.training.losses import classification_loss, divergence
from wenhuo.training.options import TransformerCandidate
from wenhuo.training.sharding import is_sharded
from wenhuo.training.sources import Source
from wenhuo.training.states import generators, parameters_of, restore_generators

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule

NO_LIMIT = 2**62
TO_LOWER = "the encoder's max_tokens, set gradient_checkpointing, choose tune: lora, or a smaller backbone"


@dataclass
class Stepper:
    """What a step works on.

    Attributes:
        network: what is trained.
        source: the train rows.
        optimizer: of the parameters that are trained.
        options: the candidate's.
        weights: class weights, shape (classes,), or None.
        ranks: AdaLoRA's schedule, or None.
        at_once: tokens, padding included, that go through the network at once; None: all of this process's share of a
            batch. A share of more goes in parts whose gradients add up to its own. It is halved when memory runs out.
    """

    network: Network
    source: Source
    optimizer: torch.optim.Optimizer
    options: TransformerCandidate
    weights: Tensor | None
    ranks: RankSchedule | None
    at_once: int | None = None

    def __post_init__(self) -> None:
        self.lengths = self.source.rows.lengths

    def step(self, positions: Positions, rate: float, number: int) -> float:
        """Move the weights by one batch; return its loss.

        Args:
            positions: of the batch's rows.
            rate: the learning rate.
            number: finished steps, this one included.

        Raises:
            ModelError: one row alone, or the optimizer's own state, is too large for the memory.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        loss = self._gradient_that_fits(positions)
        try:
            processes.sum_gradients(parameters_of(self.optimizer))
            nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
            self.optimizer.step()
        except torch.OutOfMemoryError:
            raise ModelError(
                f"out of memory in the optimizer at step {number}",
                "choose optimizer: adafactor, tune: lora, or a smaller backbone",
            ) from None
        if self.ranks is not None:
            self.ranks.after(number)
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def _gradient_that_fits(self, positions: Positions) -> float:
        """The gradient of a batch, again from its start with half as many tokens at once while memory runs out.

        The processes go on, or begin anew, all together.
        """
        before = generators()
        while True:
            loss, fits = self._try(positions)
            loss, misfits = processes.total(loss, not fits)
            if not misfits:
                return loss
            self.optimizer.zero_grad(set_to_none=True)
            restore_generators(before)
            self.at_once = self._halved(positions, fits)
            say(f"out of memory: {self.at_once:,} tokens at once from now on, in steps of as many rows as before")

    def _try(self, positions: Positions) -> tuple[float, bool]:
        try:
            return self._gradient(positions), True
        except torch.OutOfMemoryError:
            if is_sharded(self.network):  # the others wait in the midst of a layer for this one
                raise ModelError("out of memory with a sharded backbone", f"lower tokens_at_once, {TO_LOWER}") from None
            return 0.0, False  # nothing is done about it here: the error holds on to the memory

    def _halved(self, positions: Positions, fits: bool) -> int:
        """Half of what this process could not hold at once, or of what another could not if that is less."""
        largest = max(self._own(positions), key=self.source.padded, default=positions[:1])
        tokens = self.source.padded(largest)
        half = processes.least(NO_LIMIT if fits else tokens // 2 if len(largest) > 1 else -tokens)
        if half < 0:
            raise ModelError(f"out of memory with one row of {-half} tokens", f"lower {TO_LOWER}")
        return half

    def _own(self, positions: Positions) -> list[Positions]:
        """This process's share of a batch, in parts that go through the network one after the other."""
        return self._parts(positions[processes.shares(self.lengths[positions])[processes.rank()]])

    def _parts(self, positions: Positions) -> list[Positions]:
        """A batch in parts of at most ``at_once`` tokens; a row of more is a part of its own."""
        if not len(positions):
            return []
        if self.at_once is None or self.source.padded(positions) <= self.at_once:
            return [positions]
        parts, start = [], 0
        for end in range(1, len(positions) + 1):
            if end - start > 1 and self.source.padded(positions[start:end]) > self.at_once:
                parts.append(positions[start : end - 1])
                start = end - 1
        return [*parts, positions[start:]]

    def _gradient(self, positions: Positions) -> float:
        """Add this process's share of the gradient of a batch to the parameters; return its share of the loss."""
        total = self._weight(positions) or 1.0
        passes = [(part, self._weight(part) / total, len(part) / len(positions)) for part in self._own(positions)]
        loss = sum((self._pass(*each) for each in passes + self._idle(positions, len(passes))), 0.0)
        if self.ranks is not None and processes.first():
            penalty = self.ranks.penalty()
            penalty.backward()  # type: ignore[no-untyped-call]
            loss += penalty.item()
        return loss

    def _idle(self, positions: Positions, made: int) -> list[tuple[Positions, float, float]]:
        """Passes that count for nothing: processes that share a network must make as many as each other."""
        if not is_sharded(self.network):
            return []
        cuts = processes.shares(self.lengths[positions])
        most = max(len(self._parts(positions[cut])) for cut in cuts)
        return [(positions[:1], 0.0, 0.0)] * (most - made)

    def _weight(self, positions: Positions) -> float:
        """What some rows count together."""
        if self.weights is None:
            return float(len(positions))
        return float(self.weights[self._truth(positions)].double().sum())

    def _truth(self, positions: Positions) -> Tensor:
        labels = self.source.rows.labels[positions].astype("int64")
        return torch.from_numpy(labels).to(self._device)

    @property
    def _device(self) -> torch.device:
        return self.network.head.out.weight.device

    def _pass(self, positions: Positions, weight: float, share: float) -> float:
        """Forward and back with a part of a batch, and again where the objective asks for it.

        Args:
            positions: of the part's rows.
            weight: the part's share of the batch by class weights.
            share: its share by rows.
        """
        truth = self._truth(positions)
        if not self.options.objective.fgm:
            return self._back(self._loss(positions, truth, weight, share))
        embeddings = self.network.backbone.get_input_embeddings()
        with nudged(embeddings, None) as nudge:
            loss = self._back(self._loss(positions, truth, weight, share))
        worst = adversarial(nudge[0].grad, self.options.objective.fgm)
        with nudged(embeddings, worst):
            return loss + self._back(self._classified(self.source.scores(positions), truth, weight) * weight)

    def _loss(self, positions: Positions, truth: Tensor, weight: float, share: float) -> Tensor:
        alpha = self.options.objective.r_drop
        first = self.source.scores(positions)
        if not alpha:
            return self._classified(first, truth, weight) * weight
        second = self.source.scores(positions)
        mean = (self._classified(first, truth, weight) + self._classified(second, truth, weight)) / 2
        return mean * weight + alpha * divergence(first, second) * share

    def _classified(self, scores: Tensor, truth: Tensor, weight: float) -> Tensor:
        if not weight:
            return scores.sum() * 0.0  # rows that count nothing have no weighted mean
        return classification_loss(scores, truth, self.options.objective, self.weights)

    def _back(self, loss: Tensor) -> float:
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()


@contextmanager
def nudged(embeddings: nn.Module, nudge: Tensor | None) -> Iterator[list[Tensor]]:
    """Add ``nudge`` to what the embeddings give, or (None) zeros whose gradient is that of the embedded rows.

    Yields:
        A list that holds the zeros once the embeddings have been asked, shape (rows, tokens, width).
    """
    made: list[Tensor] = [] if nudge is None else [nudge]

    def add(_module: nn.Module, _given: Any, out: Tensor) -> Tensor:
        if not made:
            made.append(torch.zeros_like(out, requires_grad=True))
        return out + made[0]

    handle = embeddings.register_forward_hook(add)
    try:
        yield made
    finally:
        handle.remove()


def adversarial(gradient: Tensor | None, size: float) -> Tensor:
    """The step along each row's gradient that makes its loss worst, of a given length (Miyato et al. 2017).

    Args:
        gradient: of the embedded rows, shape (rows, tokens, width).
        size: the length of each row's step.
    """
    assert gradient is not None  # noqa: S101 - for the type checker; the backward pass has set it
    lengths: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
    return size * gradient / lengths.clamp_min(torch.finfo(gradient.dtype).tiny)
