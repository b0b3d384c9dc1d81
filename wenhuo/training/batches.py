"""Batches of rows of like length, so that little is padding; the order depends on seed and epoch alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BATCHES_A_BUCKET = 50
"""Rows are shuffled, then sorted by length within buckets of so many batches: like lengths, still random."""


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
