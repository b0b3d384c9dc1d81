"""Parquet files, and other Arrow batches, as a stream of chunks with record numbers from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from wenhuo.errors import DataError
from wenhuo.reading.columns import Columns
from wenhuo.reading.labels import only_label, plain_label
from wenhuo.reading.records import NO_LABEL, NO_TEXT, Chunk, Rejected, reject, settle, why_not_one

BATCH_ROWS = 8192


def open_parquet(path: Path, where: str) -> pq.ParquetFile:
    """A Parquet file, its footer read.

    Raises:
        DataError: it is damaged, or holds no rows.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{where} cannot be read as Parquet: {_one_line(error)}", "write or fetch the file again"
        ) from None
    if not file.metadata.num_rows:
        raise DataError(f"{where} holds no rows", "give a file with rows")
    return file


def class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str] | None:
    """The names of a ``ClassLabel`` column, which ``datasets`` keeps in a schema's metadata; None without any."""
    try:
        feature = orjson.loads((metadata or {})[b"huggingface"])["info"]["features"][column]
        return list(feature["names"]) if feature["_type"] == "ClassLabel" else None
    except (KeyError, TypeError, orjson.JSONDecodeError):
        return None


def read_parquet(file: pq.ParquetFile, columns: Columns, names: Sequence[str] | None, where: str) -> Iterator[Chunk]:
    """The rows of a file, a chunk at a time.

    Raises:
        DataError: a page of the file is damaged.
    """
    row = 1
    try:
        for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
            yield read_batch(batch, columns, names, row)
            row += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{where}, from record {row} on: {_one_line(error)}", "write or fetch the file again") from None


def read_batch(batch: Any, columns: Columns, names: Sequence[str] | None, row: int) -> Chunk:
    """A chunk of the rows of a record batch or table.

    Args:
        batch: holds the two columns.
        columns: their names.
        names: names of the labels 0, 1, …; a negative label is no label (the hub's custom for hidden ones).
        row: the number of the first row.
    """
    texts: list[str | None] = []
    labels: list[str | None] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    pairs = zip(_values(batch.column(columns.text)), _values(batch.column(columns.label)), strict=True)
    for number, (text, label) in enumerate(pairs, start=row):
        try:
            found = text if isinstance(text, str) else plain_label(text)
            named = only_label(label)
            if names is not None and named is not None and named.lstrip("-").isdecimal():
                named = names[int(named)] if 0 <= int(named) < len(names) else None
        except ValueError:
            rejected.append(reject(number, why_not_one(label), f"{text}\t{label}"))
            continue
        if found is None or named is None:
            rejected.append(reject(number, NO_TEXT if found is None else NO_LABEL, f"{text}\t{label}"))
            continue
        texts.append(found)
        labels.append(named)
        rows.append(number)
    return settle(texts, labels, rows, rejected)


def _values(array: Any) -> Any:
    """The values as Python's; texts whose bytes are not UTF-8 keep them as lone surrogates."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    kind = array.type
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    ):
        try:
            return array.cast(pa.large_string()).to_pylist() if "binary" in str(kind) else array.to_pylist()
        except (UnicodeDecodeError, pa.ArrowInvalid):
            values = array.cast(pa.large_binary()).to_pylist()
            return [None if value is None else value.decode("utf-8", "surrogateescape") for value in values]
    return array.to_pylist()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
