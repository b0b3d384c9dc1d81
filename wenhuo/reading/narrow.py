"""Columns of a corpus as numbers: keys of ids and texts, codes of labels and of where a row stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from wenhuo.splits import UNDIVIDED

UNNAMED = "unnamed"
"""The source of the rows of a corpus that was written before sources had names."""

Keys = np.ndarray[Any, np.dtype[np.uint64]]
Codes = np.ndarray[Any, np.dtype[np.int32]]
Place = tuple[str, str]
"""Source and split."""

_HEXADECIMAL = b"0123456789abcdef"


def row_groups(path: Path, columns: tuple[str, ...], only: int | None = None) -> Iterator[Any]:
    """Those columns that are there, row group by row group, or of one row group."""
    with pq.ParquetFile(path) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        for group in range(file.num_row_groups) if only is None else [only]:
            yield file.read_row_group(group, columns=there)


def place_codes(table: Any, known: dict[Place, int]) -> Codes:
    """A code for the source and split of each row; what is new to ``known`` is added to it."""
    splits: dict[str, int] = {}
    sources: dict[str, int] = {}
    split = codes(table.column("split"), splits, UNDIVIDED)
    named = "source" in table.column_names
    source = codes(table.column("source"), sources) if named else np.zeros_like(split)
    places = [(source, split) for source in (sources if named else [UNNAMED]) for split in splits]
    coded = np.array([known.setdefault(place, len(known)) for place in places], dtype=np.int32)
    found: Codes = coded[source * len(splits) + split]
    return found


def codes(column: Any, known: dict[str, int], missing: str = "") -> Codes:
    """A code for each value, the same for equal ones in every call."""
    encoded = _whole(column).dictionary_encode(null_encoding="encode")
    values = [missing if value is None else value for value in encoded.dictionary.to_pylist()]
    coded = np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int32)
    found: Codes = coded[np.frombuffer(encoded.indices.buffers()[1], dtype=np.int32, count=len(encoded))]
    return found


def id_keys(column: Any) -> Keys:
    """The first eight bytes of ids, which are written in hexadecimal."""
    array = _whole(column)
    digit = np.zeros(256, dtype=np.uint8)
    digit[np.frombuffer(_HEXADECIMAL, dtype=np.uint8)] = np.arange(16, dtype=np.uint8)
    digits = digit[np.frombuffer(array.buffers()[2], dtype=np.uint8).reshape(len(array), -1)[:, :16]]
    keys: Keys = ((digits[:, 0::2] << 4) | digits[:, 1::2]).view(np.uint64).ravel()
    return keys


def _whole(column: Any) -> Any:
    """A column of one row group as one array."""
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def text_keys(column: Any) -> Keys:
    """Hashes of texts, the same within this process."""
    import polars as pl

    hashed: Keys = pl.Series(column).hash(seed=13).to_numpy()
    return hashed
