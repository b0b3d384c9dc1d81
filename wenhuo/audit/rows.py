"""Reading what the audit looks at: at most so many rows of a file, chosen by the hash that is their id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from wenhuo.sifting.corrections import read_corrections
from wenhuo.splits import SPLITS


def read_parts(parts: Path, most: int) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    """The rows of each split that are looked at, and how many there are in all."""
    files = {split: pl.scan_parquet(parts / f"{split}.parquet") for split in SPLITS}
    wanted = ["id", "text", "label", "cluster"]
    known = files["train"].collect_schema().names()
    return _read({split: file.select([c for c in wanted if c in known]) for split, file in files.items()}, most)


def read_cleaned(cleaned: Path, most: int) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    """The same of cleaned rows that are not divided yet; those without a split are train rows."""
    return _by_split(pl.scan_parquet(cleaned).select("id", "text", "label", "cluster", "split"), most)


def read_corpus(corpus: Path, most: int) -> tuple[pl.DataFrame, dict[str, int]]:
    """The rows of a corpus as read, at most so many of each split, and how many each has in all."""
    read, totals = _by_split(pl.scan_parquet(corpus).select("id", "text", "label", "split"), most)
    return pl.concat(read.values()), totals


def _by_split(rows: pl.LazyFrame, most: int) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    rows = rows.with_columns(pl.col("split").fill_null("train"))
    return _read({split: rows.filter(pl.col("split") == split) for split in SPLITS}, most)


def _read(splits: Mapping[str, pl.LazyFrame], most: int) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    read = {split: first_by_id(rows, most) for split, rows in splits.items()}
    return {split: rows for split, (rows, _) in read.items()}, {split: count for split, (_, count) in read.items()}


def first_by_id(rows: pl.LazyFrame, most: int) -> tuple[pl.DataFrame, int]:
    """The rows with the smallest ids, and how many rows there are. An id is a hash: these are a random sample.

    Only ids are held for all rows; the texts of the others pass through.
    """
    ids = rows.select("id").collect(engine="streaming")["id"]
    if len(ids) > most:
        rows = rows.filter(pl.col("id") <= ids.bottom_k(most).max())
    return rows.collect(engine="streaming").sort("id"), len(ids)


def settled_ids(corrections: Path) -> set[str]:
    """The ids of the rows about which a person has decided."""
    return {decision.id for decision in read_corrections(corrections)}
