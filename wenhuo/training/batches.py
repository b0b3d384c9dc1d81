"""Batches of rows of like length, so that little is padding; the order depends on seed and epoch alone."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

BATCHES_A_BUCKET = 50
"""Rows are shuffled, then sorted by length within buckets of so many batches: like lengths, still random."""


@dataclass(frozen=True)
class Plan:
    """All the batches of a training. A batch is one step of the optimizer.

    Attributes:
        lengths: tokens in each row, shape (n,).
        seed: of the whole training.
        epochs: how many are planned.
        batch_size: rows in a batch; the last one of a bucket may be smaller.
    """

    lengths: npt.NDArray[np.int64]
    seed: int
    epochs: int
    batch_size: int

    def batches(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        """Row positions of each batch of an epoch (from 0), every row once."""
        return epoch_batches(self.lengths, self.batch_size, self.seed, epoch)

    @cached_property
    def starts(self) -> list[int]:
        """The step at which each epoch begins, and after the last one the number of all steps."""
        counts = [len(self.batches(0))] * self.epochs
        return [0, *accumulate(counts)]

    @property
    def steps(self) -> int:
        """Steps of all epochs."""
        return self.starts[-1]

    def epochs_at(self, step: int) -> float:
        """How many epochs so many finished steps are, as a fraction."""
        epoch = max(0, bisect_left(self.starts, step) - 1)
        return epoch + (step - self.starts[epoch]) / (self.starts[epoch + 1] - self.starts[epoch])


def epoch_batches(
    lengths: npt.NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> list[npt.NDArray[np.int64]]:
    """Row positions of each batch of an epoch, every row once.

    Args:
        lengths: tokens in each row, shape (n,).
        batch_size: rows in a batch; the last one of a bucket may be smaller.
        seed: of the whole training.
        epoch: from 0.
    """
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths))
    bucket = batch_size * BATCHES_A_BUCKET
    batches = []
    for start in range(0, len(order), bucket):
        rows = order[start : start + bucket]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    return [batches[i] for i in draw.permutation(len(batches))]
