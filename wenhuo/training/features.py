"""What a frozen backbone says of each row, computed once and kept on disk, for training the head alone.

The backbone runs without dropout, so the features are the same in every epoch; whatever is trained sees only them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from wenhuo.encoding.store import EncodedRows
from wenhuo.files import whole
from wenhuo.models.transformer import Network, Positions, batches_by_length, in_memory, pad_rows

Array = npt.NDArray[np.float32]


def compute(
    network: Network, rows: EncodedRows, pad: int, device: torch.device, dtype: torch.dtype, path: Path
) -> Array:
    """The features of all rows, mapped from ``path``; computed when the file is not there yet.

    Args:
        network: on ``device``.
        rows: encoded rows.
        pad: the id that fills short rows.
        device: where to compute.
        dtype: float32, or bfloat16 for mixed precision.
        path: a ``.npy`` file.

    Returns:
        float32, shape (rows, …), or (tokens of all rows, hidden) where the head reads every token.
    """
    if not path.exists():
        with whole(path) as made:
            _write(network.eval(), rows, pad, device, dtype, made)
    values: Array = np.load(path, mmap_mode="r")
    return values


@torch.inference_mode()
def _write(network: Network, rows: EncodedRows, pad: int, device: torch.device, dtype: torch.dtype, path: Path) -> None:
    per_token = network.head.options.per_token
    out: Any = None

    def fill(positions: Positions) -> None:
        nonlocal out
        ids, mask = pad_rows([rows.row(i) for i in positions], pad)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            found = network.features(ids.to(device), mask.to(device)).float().cpu().numpy()
        if out is None:
            shape = (len(rows.values), *found.shape[2:]) if per_token else (len(rows.row_lengths), *found.shape[1:])
            out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        if not per_token:
            out[positions] = found
            return
        for i, row in zip(positions, found, strict=True):
            out[rows.offsets[i] : rows.offsets[i + 1]] = row[: rows.row_lengths[i]]

    for positions in batches_by_length(rows.row_lengths):
        in_memory(fill, positions)
    out.flush()
