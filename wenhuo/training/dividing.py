"""What the processes divide among themselves beside the steps: scoring all rows, and a frozen backbone's features."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from wenhuo.encoding.store import EncodedRows
from wenhuo.files import whole
from wenhuo.models.transformer import Network
from wenhuo.training import features
from wenhuo.training.processes import any_of, first_here, gather, rank, shares, size
from wenhuo.training.sharding import in_step
from wenhuo.training.sources import Source, Tokens


def block(rows: EncodedRows, cut: slice) -> EncodedRows:
    """Neighbouring texts of encoded rows; nothing is copied but their bounds."""
    texts = None if rows.texts is None else rows.texts[cut.start : cut.stop + 1]
    start, stop = (cut.start, cut.stop) if texts is None else (int(texts[0]), int(texts[-1]))
    offsets = rows.offsets[start : stop + 1]
    values = rows.values[offsets[0] : offsets[-1]]
    return EncodedRows(
        rows.labels[cut], offsets - offsets[0], values, texts=None if texts is None else texts - texts[0]
    )


def all_scores(source: Source) -> npt.NDArray[np.float32]:
    """Logits of all rows in every process, shape (n, classes); each has scored a part of them.

    A head alone is so quick that every process scores all rows.
    """
    if size() == 1 or not isinstance(source, Tokens):
        return source.all_scores()
    ids = torch.from_numpy(source.rows.row(0)[None].astype(np.int64)).to(source.device)

    @torch.no_grad()
    def idle() -> None:
        source.network(ids, torch.ones_like(ids))

    own = block(source.rows, shares(source.rows.lengths)[rank()])
    with in_step(source.network, idle):
        scores = replace(source, rows=own).all_scores() if len(own) else None
    return np.concatenate([found for found in gather(scores) if found is not None])


def all_features(
    network: Network, rows: EncodedRows, pad: int, device: torch.device, dtype: torch.dtype, path: Path
) -> features.Array:
    """:func:`wenhuo.training.features.compute`, its rows divided among the processes of a machine.

    Each machine makes a file of its own, so that they need no common disk.
    """
    if any_of(not path.exists())[0] and size() > 1:
        cuts = shares(rows.lengths, int(os.environ["LOCAL_WORLD_SIZE"]))
        place = int(os.environ["LOCAL_RANK"])
        numbers = range(rank() - place, rank() - place + len(cuts))  # of all machines: they may share a disk after all
        parts = [path.with_name(f"{path.stem}.{number}.npy") for number in numbers]
        if len(own := block(rows, cuts[place])):
            features.compute(network, own, pad, device, dtype, parts[place])
        gather(None)  # all parts are there
        if first_here():
            _join([part for part in parts if part.exists()], path)
        gather(None)
    return features.compute(network, rows, pad, device, dtype, path)


def _join(parts: list[Path], path: Path) -> None:
    pieces = [np.load(part, mmap_mode="r") for part in parts]
    with whole(path) as made:
        shape = (sum(len(piece) for piece in pieces), *pieces[0].shape[1:])
        out = np.lib.format.open_memmap(made, mode="w+", dtype=pieces[0].dtype, shape=shape)
        start = 0
        for piece in pieces:
            out[start : start + len(piece)] = piece
            start += len(piece)
        out.flush()
    for part in parts:
        part.unlink()
