"""Folded texts in a scratch file, so that they need no memory until they are compared."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
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
    beside = [path.with_name(f"{path.name}-{kind}") for kind in ("lengths", "keys")]
    rows = 0
    with ExitStack() as stack:  # by way of files: small arrays kept between large ones left 700 MB of holes
        codes, lengths, keys = (stack.enter_context(name.open("wb")) for name in (path, *beside))
        for chunk in track(_portions(chunks), f"near-duplicates: folding, portions of {PORTION:,}"):
            folded = fold(chunk)
            folded.codes.tofile(codes)
            np.diff(folded.offsets).tofile(lengths)
            keys.write(b"".join(_keys(chunk, folded, rows)))
            rows += len(chunk)
    made = np.fromfile(beside[0], np.int64), _firsts(np.fromfile(beside[1], np.uint64).reshape(-1, 2))
    for name in beside:
        name.unlink()
    return made


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


def _firsts(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The first row with each row's key, which are two numbers a row."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # of equal ones the first row comes first
    new = np.ones(len(keys), np.bool_)
    new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    first = np.empty(len(keys), np.int64)
    first[order] = order[new][np.cumsum(new) - 1]
    return first
