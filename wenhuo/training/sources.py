"""Where the logits of a training come from: rows of tokens through the network, or kept features through its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wenhuo.encoding.store import EncodedRows
from wenhuo.models.transformer import Classification, Network, Positions, batches_by_length, logits, pad_rows


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


@dataclass(frozen=True)
class Tokens:
    """Rows of tokens, through backbone and head."""

    network: Network
    rows: EncodedRows
    pad: int
    device: torch.device
    dtype: torch.dtype

    def padded(self, positions: Positions) -> int:
        """As many rows as there are, all as long as the longest."""
        return len(positions) * int(self.rows.lengths[positions].max())

    def scores(self, positions: Positions) -> Tensor:
        """Logits of some rows with their gradients."""
        ids, mask = pad_rows([self.rows.row(i) for i in positions], self.pad)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            return self.network(ids.to(self.device), mask.to(self.device)).float()  # type: ignore[no-any-return]

    def all_scores(self) -> npt.NDArray[np.float32]:
        """Logits of all rows."""
        rows = [self.rows.row(i) for i in range(len(self.rows))]
        return logits(self.network, rows, self.pad, self.device, self.dtype)


@dataclass(frozen=True)
class Features:
    """What :func:`wenhuo.training.features.compute` kept, through the head alone."""

    head: Classification
    rows: EncodedRows
    values: npt.NDArray[np.float32]
    device: torch.device
    dtype: torch.dtype

    def padded(self, positions: Positions) -> int:
        """As many rows as there are, all as long as the longest."""
        return len(positions) * int(self.rows.lengths[positions].max())

    def scores(self, positions: Positions) -> Tensor:
        """Logits of some rows with the gradients of the head."""
        features, mask = self._batch(positions)
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32):
            return self.head(features.to(self.device), mask.to(self.device)).float()  # type: ignore[no-any-return]

    def _batch(self, positions: Positions) -> tuple[Tensor, Tensor]:
        if not self.head.options.per_token:
            return torch.from_numpy(self.values[positions]), torch.ones(len(positions), 1, dtype=torch.int64)
        lengths = self.rows.lengths[positions]
        features = torch.zeros(len(positions), int(lengths.max()), self.values.shape[-1])
        mask = torch.zeros(features.shape[:2], dtype=torch.int64)
        for i, (position, length) in enumerate(zip(positions, lengths, strict=True)):
            start = self.rows.offsets[position]
            features[i, :length] = torch.from_numpy(np.array(self.values[start : start + length]))
            mask[i, :length] = 1
        return features, mask

    @torch.inference_mode()
    def all_scores(self) -> npt.NDArray[np.float32]:
        """Logits of all rows."""
        out = np.zeros((len(self.rows), self.head.out.out_features), dtype=np.float32)
        for positions in batches_by_length(self.rows.lengths):
            out[positions] = self.scores(positions).cpu().numpy()
        return out
