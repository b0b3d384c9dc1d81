"""What a network says of a batch, as sums: added over parts, batches and processes, then made means and a loss."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from wenhuo.pretraining.batches import Batch
from wenhuo.training.processes import total


class Sums(NamedTuple):
    """Sums over a batch, and over how many things each goes.

    Attributes:
        loss: of the hidden tokens; hits: those guessed; hidden: how many there are.
        pair_loss: of the pairs of sentences; pairs: how many.
        detection: loss of telling the replaced tokens; right: tokens told rightly; judged: how many there are.
        caught: replaced tokens that were told; changed: how many there are.
    """

    loss: Tensor
    hits: Tensor
    hidden: int
    pair_loss: Tensor | float = 0.0
    pairs: int = 0
    detection: Tensor | float = 0.0
    right: Tensor | float = 0.0
    judged: int = 0
    caught: Tensor | float = 0.0
    changed: Tensor | float = 0.0


class Asked(NamedTuple):
    """How many hidden tokens, pairs and tokens a step has, over all its parts and processes; at least 1 of each."""

    hidden: float
    pairs: float
    tokens: float

    @classmethod
    def over_all(cls, batch: Batch | None) -> Asked:
        """Those of a batch of which this is one process's share; None: it has none."""
        own = (
            (0, 0, 0) if batch is None else (len(batch.targets), int((batch.labels >= 0).sum()), int(batch.mask.sum()))
        )
        return cls(*(max(1.0, count) for count in total(*own)))


def to_minimise(found: Sums, asked: Asked, weight: float) -> Tensor:
    """A part's share of the step's loss: means over what the whole step asks, that of detection so many times."""
    loss = found.loss / asked.hidden + found.pair_loss / asked.pairs
    return loss + weight * found.detection / asked.tokens if found.judged else loss


def nothing() -> list[float]:
    """The sums of no batch."""
    return [0.0] * len(Sums._fields)


def plain(found: Sums) -> list[float]:
    """The sums as numbers."""
    return [value.item() if isinstance(value, Tensor) else float(value) for value in found]


def means(sums: list[float], prefix: str) -> dict[str, float]:
    """Points of the curves: losses, accuracies and the share of the replaced tokens that was found.

    ``loss`` and ``accuracy`` are those of the network that is kept: of a masked language model, over hidden tokens; of
    a detector, over all tokens, and then its generator's have names of their own.
    """
    loss, hits, hidden, pair_loss, pairs, detection, right, judged, caught, changed = sums
    ratios = {"loss": (loss, hidden), "accuracy": (hits, hidden), "pair_loss": (pair_loss, pairs)}
    if judged:
        ratios = {f"generator_{name}": ratios[name] for name in ("loss", "accuracy")}
        ratios |= {"loss": (detection, judged), "accuracy": (right, judged), "recall": (caught, changed)}
    return {prefix + name: value / count for name, (value, count) in ratios.items() if count}
