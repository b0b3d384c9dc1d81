"""Parquet tables that know where they come from: what is true of all their rows stands beside the schema, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from wenhuo.files import whole

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
    table = rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    if about is not None:
        table = table.replace_schema_metadata({ABOUT: json.dumps(dict(about), ensure_ascii=False).encode()})
    with whole(path) as scratch:
        pq.write_table(table, scratch, compression="zstd")
