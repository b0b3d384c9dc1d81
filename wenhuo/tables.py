"""Parquet tables that know where they come from: what is true of all their rows stands beside the schema, as JSON."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from wenhuo.files import whole

T = TypeVar("T")
R = TypeVar("R")

ABOUT = b"wenhuo"
"""The key of the schema's metadata that holds the JSON."""


def read_about(path: Path) -> dict[str, Any]:
    """What a Parquet file says of all its rows ({} when it says nothing); the rows are not read."""
    about: dict[str, Any] = json.loads((pq.read_schema(path).metadata or {}).get(ABOUT, b"{}"))
    return about


def read_table(path: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The rows of a Parquet file and what it says of all of them."""
    return pl.DataFrame(pq.read_table(path)), read_about(path)


def write_table(path: Path, rows: pl.DataFrame, about: Mapping[str, Any] | None = None) -> None:
    """Write rows and what is true of all of them, whole or not at all; equal rows give equal bytes."""
    with whole(path) as scratch:
        pq.write_table(_arrow(rows, about), scratch, compression="zstd")


def write_chunks(
    path: Path, empty: pl.DataFrame, chunks: Iterable[pl.DataFrame], about: Mapping[str, Any] | None = None
) -> None:
    """Write a table that comes in chunks, each a row group, and what is true of all its rows, whole or not at all.

    Args:
        path: the Parquet file.
        empty: a table of no rows, with the names and types of the columns.
        chunks: the rows.
        about: what is true of all of them.
    """
    schema = _arrow(empty, about).schema
    # Most other columns hold few different values; these are written plainly, which takes a third of the time.
    repeating = [name for name in empty.columns if name not in ("id", "text", "row", "similarity")]
    with (
        whole(path) as scratch,
        pq.ParquetWriter(scratch, schema, compression="zstd", use_dictionary=repeating) as file,
    ):
        for chunk in chunks:
            file.write_table(_arrow(chunk.select(empty.columns).cast(empty.schema), about), chunk.height or None)


def _arrow(rows: pl.DataFrame, about: Mapping[str, Any] | None) -> pa.Table:
    table = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if about is None:
        return table
    return table.replace_schema_metadata({ABOUT: json.dumps(dict(about), ensure_ascii=False).encode()})


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, of which the next is made in another thread while this one is in use."""
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(next, items, None)
        while (item := pending.result()) is not None:
            pending = thread.submit(next, items, None)
            yield item


def abreast(work: Callable[[T], R], items: Iterable[T], threads: int = 2) -> Iterator[R]:
    """``work`` on each item, in their order, with so many at once: for work that leaves Python to itself.

    No more than ``threads`` items and results wait in memory.
    """
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
