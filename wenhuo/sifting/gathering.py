"""Rows of a Parquet file by their places, in any order, with no more than a portion of them in memory.

A file is read by row groups, and each is read once where the places ascend. So memory follows the row groups (of some
30,000 rows in what ``ingest`` writes) and the portions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

PORTION_ROWS = 1 << 17
PORTION_BYTES = 1 << 26
"""The bounds of a portion: 131,072 rows, or about 64 MiB of text."""


class Groups:
    """A Parquet file's row groups, of which the last one that was read stays in memory.

    Attributes:
        rows: rows of each group that has any.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = pq.ParquetFile(path)
        sizes = [self._file.metadata.row_group(number).num_rows for number in range(self._file.num_row_groups)]
        self._numbers = [number for number, size in enumerate(sizes) if size]
        self._columns = list(columns)
        self._last: tuple[int, pl.DataFrame] | None = None
        self.rows = [sizes[number] for number in self._numbers]

    def __enter__(self) -> Groups:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def read(self, number: int) -> pl.DataFrame:
        """The rows of a group."""
        if self._last is None or self._last[0] != number:
            table = self._file.read_row_group(self._numbers[number], columns=self._columns)
            self._last = number, pl.DataFrame(table).select(self._columns)
        return self._last[1]

    def every(self) -> Iterator[pl.DataFrame]:
        """The rows of each group in turn."""
        return (self.read(number) for number in range(len(self.rows)))

    def take(self, places: NDArray[np.int64]) -> pl.DataFrame:
        """The rows at these places, one at least, numbered through all groups, in the order given."""
        ascending = np.sort(places)
        starts = np.cumsum([0, *self.rows])
        bounds = np.searchsorted(ascending, starts)
        pieces: list[pl.DataFrame] = [
            self.read(number)[ascending[first:last] - starts[number]]
            for number, (first, last) in enumerate(pairwise(bounds))
            if first < last
        ]
        order: NDArray[np.int64] = np.argsort(np.argsort(places))
        return pl.concat(pieces)[order]


def portions(sizes: NDArray[Any]) -> Iterator[slice]:
    """Slices of consecutive rows that fit in memory together, given their texts' sizes in bytes."""
    if not len(sizes):
        return
    filled = np.cumsum(sizes, dtype=np.int64)
    start = 0
    while start < len(sizes):
        before = filled[start - 1] if start else 0
        end = int(np.searchsorted(filled, before + PORTION_BYTES, "right"))
        end = min(max(end, start + 1), start + PORTION_ROWS)
        yield slice(start, end)
        start = end


@dataclass(frozen=True)
class Shelf:
    """A corpus and its cleaned texts, from which rows are fetched by their ids in a ledger.

    Attributes:
        corpus: as ``ingest`` writes it.
        cleaned: for each of its rows the cleaned text, null where that is the text as read.
        places: of each id in the corpus.
        sizes: bytes of each id's text.
    """

    corpus: Path
    cleaned: Path
    places: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def rows(self, ids: NDArray[Any], columns: Sequence[str]) -> Iterator[tuple[slice, pl.DataFrame]]:
        """The rows of these ids in portions, each with the slice of ``ids`` that it is; ``text`` is as read."""
        with Groups(self.corpus, columns) as groups:
            for part in portions(self.sizes[ids]):
                yield part, groups.take(self.places[ids[part]])

    def texts(self, ids: NDArray[Any]) -> Iterator[pl.Series]:
        """The cleaned texts of these ids, in portions."""
        with Groups(self.cleaned, ("cleaned",)) as groups:
            for part, read in self.rows(ids, ("text",)):
                yield self._cleaned(groups, ids[part], read)

    def cleaned_rows(self, ids: NDArray[Any], columns: Sequence[str]) -> Iterator[tuple[slice, pl.DataFrame]]:
        """Like ``rows``, with cleaned texts."""
        with Groups(self.cleaned, ("cleaned",)) as groups:
            for part, read in self.rows(ids, columns):
                yield part, read.with_columns(self._cleaned(groups, ids[part], read))

    def _cleaned(self, groups: Groups, ids: NDArray[Any], read: pl.DataFrame) -> pl.Series:
        texts = read.select("text").with_columns(groups.take(self.places[ids]))
        return texts.select(pl.coalesce("cleaned", "text", pl.lit("")).alias("text"))["text"]

    def names(self, ids: pl.Series) -> pl.DataFrame:
        """The corpus's own id of each of these, once: ``id`` and ``name``."""
        few = ids.drop_nulls().unique().sort()
        taken = [rows["id"] for _, rows in self.rows(few.to_numpy(), ("id",))]
        return pl.DataFrame({"id": few, "name": pl.concat(taken) if taken else pl.Series([], dtype=pl.String)})

    def whence(self, row: int) -> str:
        """Where a row came from, for a person."""
        ((_, rows),) = self.rows(np.array([row]), ("origin", "row"))
        return f"{rows['origin'][0]}, row {rows['row'][0]}"
