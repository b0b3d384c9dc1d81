"""Folded texts in a scratch file, so that they need no memory until they are compared."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wenhuo.console import track
from wenhuo.near.folding import Folded, fold
from wenhuo.text.keys import loose_key

PORTION = 20_000
"""Texts folded at once."""


@dataclass(frozen=True)
class Texts:
    """Different folded texts, none empty, in a file.

    Attributes:
        rows: int64, the first row that holds each text, ascending.
        starts: int64, where each begins in the file, in code points.
        lengths: int64, its code points.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    _codes: mmap.mmap

    def take(self, numbers: NDArray[np.int64]) -> Folded:
        """Some of the texts, by their numbers."""
        lengths = self.lengths[numbers]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        places = np.arange(offsets[-1]) + np.repeat(self.starts[numbers] - offsets[:-1], lengths)
        codes = np.frombuffer(self._codes, dtype=np.uint32)[places]
        self._codes.madvise(mmap.MADV_DONTNEED)  # or what was read once would count as memory in use
        return Folded(codes, offsets)


def write(chunks: Iterable[pl.Series], path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fold texts into a file.

    Returns:
        Two numbers a row (int64): its folded text's length in code points, and the first row whose text folds to the
        same. Texts of which folding leaves nothing are the same when they are without white space; blank ones and nulls
        are each a text of its own.
    """
    rows, lengths, keys = 0, [np.zeros(0, np.int64)], [np.zeros(0, "V16")]
    with path.open("wb") as file:
        for chunk in track(_portions(chunks), f"near-duplicates: folding, portions of {PORTION:,}"):
            folded = fold(chunk)
            folded.codes.tofile(file)
            keys.append(np.frombuffer(b"".join(_keys(chunk, folded, rows)), "V16"))
            lengths.append(np.diff(folded.offsets))
            rows += len(chunk)
    return np.concatenate(lengths), _firsts(np.concatenate(keys))


@contextmanager
def opened(path: Path, lengths: NDArray[np.int64], first: NDArray[np.int64]) -> Iterator[Texts]:
    """The different texts of a file that ``write`` made, from what it returned."""
    rows = np.flatnonzero((first == np.arange(len(first))) & (lengths > 0))
    starts = np.cumsum(lengths) - lengths
    with path.open("r+b") as file:
        file.truncate(max(4, path.stat().st_size))  # an empty file cannot be mapped
        codes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    yield Texts(rows, starts[rows], lengths[rows], codes)


def _portions(chunks: Iterable[pl.Series]) -> Iterator[pl.Series]:
    for chunk in chunks:
        yield from (chunk.slice(start, PORTION) for start in range(0, len(chunk), PORTION))


def _keys(texts: pl.Series, folded: Folded, row: int) -> Iterator[bytes]:
    """16 bytes a text: equal ones for the same text. BLAKE2b, so that nobody makes two texts collide.

    ``row`` is the first text's.
    """
    view = folded.codes.view(np.uint8).data
    bounds = (folded.offsets * 4).tolist()
    for number, (start, end) in enumerate(pairwise(bounds)):
        if start < end:
            yield blake2b(view[start:end], digest_size=16).digest()
        else:
            kind, key = (
                (b"unfolded", text) if (text := loose_key(texts[number] or "")) else (b"blank", str(row + number))
            )
            yield blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16, person=kind).digest()


def _firsts(keys: NDArray[np.void]) -> NDArray[np.int64]:
    """The first row with each row's key."""
    halves = keys.view(np.uint64).reshape(-1, 2)
    table = pl.DataFrame({"a": halves[:, 0], "b": halves[:, 1]}).with_row_index("row")
    return table.select(pl.col("row").first().over("a", "b").cast(pl.Int64))["row"].to_numpy()
