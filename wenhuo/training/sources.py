"""Where the logits of a training come from: rows of tokens through the network, or kept features through its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wenhuo.encoding.options import Pool
from wenhuo.encoding.store import EncodedRows
from wenhuo.models.transformer import (
    Classification,
    Network,
    Positions,
    batches_by_length,
    in_memory,
    logits,
    pad_rows,
    pool,
)


class Source(Protocol):
    """Rows that can be scored."""

    @property
    def rows(self) -> EncodedRows:
        """The encoded rows."""

    def padded(self, positions: Positions) -> int:
        """Tokens of some rows in one batch, padding included: what they cost."""

    def scores(self, positions: Positions) -> Tensor:
        """Logits of some rows with their gradients, shape (rows, classes), float32."""

    def all_scores(self) -> npt.NDArray[np.float32]:
        """Logits of all rows without gradients, shape (n, classes)."""


def padded(rows: EncodedRows, positions: Positions) -> int:
    """Tokens of some texts in one batch: as many rows as they have, all as long as the longest."""
    found, _ = rows.rows_of(positions)
    return len(found) * int(rows.row_lengths[found].max())


@dataclass(frozen=True)
class Tokens:
    """Rows of tokens, through backbone and head."""

    network: Network
    rows: EncodedRows
    pad: int
    how: Pool
    device: torch.device
    dtype: torch.dtype

    def padded(self, positions: Positions) -> int:
        """What some texts cost in one batch."""
        return padded(self.rows, positions)

    def scores(self, positions: Positions) -> Tensor:
        """Logits of some texts with their gradients."""
        found, counts = self.rows.rows_of(positions)
        ids, mask = pad_rows([self.rows.row(i) for i in found], self.pad)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            scores = self.network(ids.to(self.device), mask.to(self.device)).float()
        return pool(scores, counts, self.how)

    def all_scores(self) -> npt.NDArray[np.float32]:
        """Logits of all texts."""
        found, counts = self.rows.rows_of(np.arange(len(self.rows)))
        scores = logits(self.network, [self.rows.row(i) for i in found], self.pad, self.device, self.dtype)
        pooled: npt.NDArray[np.float32] = pool(torch.from_numpy(scores), counts, self.how).numpy()
        return pooled


@dataclass(frozen=True)
class Features:
    """What :func:`wenhuo.training.features.compute` kept, through the head alone."""

    head: Classification
    rows: EncodedRows
    values: npt.NDArray[np.float32]
    how: Pool
    device: torch.device
    dtype: torch.dtype

    def padded(self, positions: Positions) -> int:
        """What some texts cost in one batch."""
        return padded(self.rows, positions)

    def scores(self, positions: Positions) -> Tensor:
        """Logits of some texts with the gradients of the head."""
        found, counts = self.rows.rows_of(positions)
        features, mask = self._batch(found)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            scores = self.head(features.to(self.device), mask.to(self.device)).float()
        return pool(scores, counts, self.how)

    def _batch(self, rows: Positions) -> tuple[Tensor, Tensor]:
        if not self.head.options.per_token:
            return torch.from_numpy(self.values[rows]), torch.ones(len(rows), 1, dtype=torch.int64)
        lengths = self.rows.row_lengths[rows]
        features = torch.zeros(len(rows), int(lengths.max()), self.values.shape[-1])
        mask = torch.zeros(features.shape[:2], dtype=torch.int64)
        for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            start = self.rows.offsets[row]
            features[i, :length] = torch.from_numpy(np.array(self.values[start : start + length]))
            mask[i, :length] = 1
        return features, mask

    @torch.inference_mode()
    def all_scores(self) -> npt.NDArray[np.float32]:
        """Logits of all texts."""
        out = np.zeros((len(self.rows), self.head.out.out_features), dtype=np.float32)

        def fill(positions: Positions) -> None:
            out[positions] = self.scores(positions).cpu().numpy()

        for positions in batches_by_length(self.rows.lengths):
            in_memory(fill, positions)
        return out
