"""One step of the optimizer: the gradient of a batch by any objective, its clipping, and the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from wenhuo.models.transformer import Network
from wenhuo.training.losses import classification_loss, divergence
from wenhuo.training.options import TransformerCandidate
from wenhuo.training.sources import Positions, Source

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule


@dataclass
class Stepper:
    """What a step works on. ``weights`` are the class weights, ``ranks`` AdaLoRA's schedule."""

    network: Network
    source: Source
    optimizer: torch.optim.Optimizer
    options: TransformerCandidate
    weights: Tensor | None
    ranks: RankSchedule | None

    def step(self, positions: Positions, rate: float, number: int) -> float:
        """Move the weights by one batch; return its loss.

        Args:
            positions: of the batch's rows.
            rate: the learning rate.
            number: finished steps, this one included.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        loss = self._gradient(positions)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
        self.optimizer.step()
        if self.ranks is not None:
            self.ranks.after(number)
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def _gradient(self, positions: Positions) -> float:
        """Add the gradient of a batch to the parameters; return its loss."""
        truth = self._truth(positions)
        loss = self._pass(positions, truth)
        if self.ranks is not None:
            penalty = self.ranks.penalty()
            penalty.backward()  # type: ignore[no-untyped-call]
            loss += penalty.item()
        return loss

    def _truth(self, positions: Positions) -> Tensor:
        labels = self.source.rows.labels[positions].astype("int64")
        return torch.from_numpy(labels).to(self._device)

    @property
    def _device(self) -> torch.device:
        return self.network.head.out.weight.device

    def _pass(self, positions: Positions, truth: Tensor) -> float:
        """Forward and back, and again where the objective asks for it."""
        if not self.options.objective.fgm:
            return self._back(self._loss(positions, truth))
        embeddings = self.network.backbone.get_input_embeddings()
        with nudged(embeddings, None) as nudge:
            loss = self._back(self._loss(positions, truth))
        worst = adversarial(nudge[0].grad, self.options.objective.fgm)
        with nudged(embeddings, worst):
            return loss + self._back(self._plain_loss(positions, truth))

    def _loss(self, positions: Positions, truth: Tensor) -> Tensor:
        if not self.options.objective.r_drop:
            return self._plain_loss(positions, truth)
        scores = [self.source.scores(positions) for _ in range(2)]
        losses = [classification_loss(s, truth, self.options.objective, self.weights) for s in scores]
        return (losses[0] + losses[1]) / 2 + self.options.objective.r_drop * divergence(*scores)

    def _plain_loss(self, positions: Positions, truth: Tensor) -> Tensor:
        return classification_loss(self.source.scores(positions), truth, self.options.objective, self.weights)

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
