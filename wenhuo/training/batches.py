"""Batches of rows of like length, so that little is padding; the order depends on seed and epoch alone."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Lengths = npt.NDArray[np.int64]

BATCHES_A_BUCKET = 50
"""Rows are shuffled, then sorted by length within buckets of so many batches: like lengths, still random."""


@dataclass(frozen=True)
class Plan:
    """All the batches of a training. A batch is one step of the optimizer.

    Attributes:
        lengths: tokens in each row, shape (n,).
        seed: of the whole training.
        epochs: how many are planned.
        rows: rows in a batch; the last one of a bucket may be smaller. None where tokens are given.
        tokens: tokens in a batch, padding included, at most; a row of more is a batch of its own.
    """

    lengths: Lengths
    seed: int
    epochs: int
    rows: int | None
    tokens: int | None = None

    def batches(self, epoch: int) -> list[Lengths]:
        """Row positions of each batch of an epoch (from 0), every row once."""
        draw = np.random.default_rng([self.seed, epoch])
        order = draw.permutation(len(self.lengths))
        batches = []
        for start in range(0, len(order), self._bucket):
            rows = order[start : start + self._bucket]
            rows = rows[np.argsort(self.lengths[rows], kind="stable")]
            batches += self._cut(rows)
        return [batches[i] for i in draw.permutation(len(batches))]

    @property
    def _bucket(self) -> int:
        if self.rows is not None:
            return self.rows * BATCHES_A_BUCKET
        assert self.tokens is not None  # noqa: S101 - for the type checker; one of the two is given
        return max(1, round(self.tokens * BATCHES_A_BUCKET / max(1.0, float(self.lengths.mean()))))

    def _cut(self, rows: Lengths) -> list[Lengths]:
        """A bucket of rows, shortest first, as batches."""
        if self.rows is not None:
            return [rows[i : i + self.rows] for i in range(0, len(rows), self.rows)]
        lengths, batches, start = self.lengths[rows].tolist(), [], 0
        for end in range(1, len(rows)):
            if (end + 1 - start) * lengths[end] > (self.tokens or 0):
                batches.append(rows[start:end])
                start = end
        return [*batches, rows[start:]]

    @cached_property
    def starts(self) -> list[int]:
        """The step at which each epoch begins, and after the last one the number of all steps."""
        if self.rows is not None:
            counts = [len(self.batches(0))] * self.epochs  # as many in every epoch
        else:
            counts = [len(self.batches(epoch)) for epoch in range(self.epochs)]
        return [0, *accumulate(counts)]

    @property
    def steps(self) -> int:
        """Steps of all epochs."""
        return self.starts[-1]

    def epochs_at(self, step: int) -> float:
        """How many epochs so many finished steps are, as a fraction."""
        epoch = max(0, bisect_left(self.starts, step) - 1)
        return epoch + (step - self.starts[epoch]) / (self.starts[epoch + 1] - self.starts[epoch])
