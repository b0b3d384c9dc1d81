"""Token ids on disk, mapped into memory: rows of varying length, with a mark at each token that begins a word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

IDS, OFFSETS, KEYS = "ids.npy", "offsets.npy", "keys.npy"
NARROW = 1 << 15
"""Vocabularies of fewer entries leave 16 bits room for the mark."""


class Chunk(NamedTuple):
    """Some rows: their ids one after the other, whether each begins a word, the rows' lengths, their texts' hashes."""

    ids: npt.NDArray[np.uint32]
    begins: npt.NDArray[np.bool_]
    lengths: Integers
    keys: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Rows:
    """Rows of tokens without special ones.

    Attributes:
        values: ids, the highest bit set where a word begins; mapped, shape (m,), uint16 or uint32.
        offsets: shape (n + 1,); row i is ``values[offsets[i]:offsets[i + 1]]``.
        keys: a hash of the text that each row is from, shape (n,), uint32.
    """

    values: npt.NDArray[np.unsignedinteger]
    offsets: Integers
    keys: npt.NDArray[np.uint32]

    @cached_property
    def lengths(self) -> Integers:
        """Tokens in each row, shape (n,)."""
        return np.diff(self.offsets)

    def take(self, rows: Integers) -> tuple[Integers, npt.NDArray[np.bool_], Integers]:
        """Ids and word beginnings of some rows, one row after the other, and the rows' lengths."""
        found = np.concatenate([self.values[self.offsets[row] : self.offsets[row + 1]] for row in rows])
        bit = found.dtype.itemsize * 8 - 1
        return (found & ((1 << bit) - 1)).astype(np.int64), (found >> bit).astype(np.bool_), self.lengths[rows]


def write_rows(folder: Path, chunks: Iterable[Chunk], vocabulary: int) -> None:
    """Write rows as they come to an existing folder; nothing but lengths and hashes is held."""
    kind = np.uint16 if vocabulary <= NARROW else np.uint32
    mark = kind(1 << (np.dtype(kind).itemsize * 8 - 1))
    lengths, keys = [np.zeros(0, np.int64)], [np.zeros(0, np.uint32)]
    raw = folder / "ids.raw"
    with raw.open("wb") as file:
        for chunk in chunks:
            (chunk.ids.astype(kind) | np.where(chunk.begins, mark, kind(0))).tofile(file)
            lengths.append(chunk.lengths)
            keys.append(chunk.keys)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
    np.save(folder / OFFSETS, offsets)
    np.save(folder / KEYS, np.concatenate(keys))
    _with_header(raw, folder / IDS, kind, int(offsets[-1]))


def _with_header(raw: Path, target: Path, kind: type[np.unsignedinteger], count: int) -> None:
    mapped = np.lib.format.open_memmap(target, mode="w+", dtype=kind, shape=(count,)) if count else None
    if mapped is None:
        np.save(target, np.zeros(0, kind))
    else:
        mapped[:] = np.memmap(raw, dtype=kind, mode="r")
        mapped.flush()
    raw.unlink()


def read_rows(folder: Path) -> Rows:
    """Map the rows of a folder into memory."""
    offsets = np.load(folder / OFFSETS)
    values = np.load(folder / IDS, mmap_mode="r" if offsets[-1] else None)  # an empty array cannot be mapped
    return Rows(values, offsets, np.load(folder / KEYS))
