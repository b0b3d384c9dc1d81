"""Where a row of the corpus stands in a state: read, corrected, removed and why, trained on, measured on."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.splits import SPLITS
from wenhuo.tracing.objects import Contents
from wenhuo.tracing.states import Made, State

CORPUS = "data/corpus.parquet"
REJECTED = "reports/rejected.parquet"
REMOVED = "reports/removed.parquet"
SET_ASIDE = "reports/split_removed.parquet"
PARTS = "data/split"
SHOWN = ("id", "origin", "row", "label", "split", "source")


@dataclass(frozen=True)
class Standing:
    """What became of a row in a state.

    Attributes:
        id: the row's.
        read: where it was read: origin, row, label, split; None when the corpus of the state has no such row.
        split: the split that it stands in after cleaning; None when it stands in none.
        removed: the rule that took it out, and the row that it repeats where it does.
        copies: rows taken out because they repeat it.
        label: its label after corrections, where that is another than the one read.
        unknown: what is needed to tell and is gone from cache and work tree.
    """

    id: str
    read: dict[str, Any] | None = None
    split: str | None = None
    removed: dict[str, Any] | None = None
    copies: list[dict[str, Any]] = field(default_factory=list)
    label: str | None = None
    unknown: tuple[str, ...] = ()


def stand(state: State, contents: Contents, row: str) -> Standing:
    """Where the row with this id stands in a state."""
    tables = {path: _table(state, contents, path) for path in (CORPUS, REMOVED, SET_ASIDE)}
    parts = {split: contents.file(state.out(PARTS), f"{split}.parquet") for split in SPLITS}
    unknown = [path for path, table in tables.items() if table is None and state.out(path)]
    unknown += [f"{PARTS}/{split}.parquet" for split, part in parts.items() if part is None]
    read = _first(tables[CORPUS], row, SHOWN)
    split = next((name for name, part in parts.items() if part and _first(part, row, ("id",))), None)
    removed = _first(tables[REMOVED], row, ("reason", "of")) or _first(tables[SET_ASIDE], row, ("reason", "of"))
    now = _first(parts[split], row, ("label",)) if split else None
    label = now["label"] if now and read and now["label"] != read["label"] else None
    return Standing(row, read, split, removed, _copies(tables[REMOVED], row), label, tuple(unknown))


def ids_at(state: State, contents: Contents, origin: str, number: int) -> list[str]:
    """The ids of the rows that were read at a place of a source's file; origins may be given without their folders."""
    corpus = _table(state, contents, CORPUS)
    if corpus is None:
        return []
    here = (pl.col("row") == number) & _is_origin(origin)
    return pl.scan_parquet(corpus).filter(here).select("id").collect()["id"].to_list()


def rejected_at(state: State, contents: Contents, origin: str, number: int) -> str | None:
    """Why the row at a place could not be read; None when it could."""
    table = _table(state, contents, REJECTED)
    if table is None:
        return None
    found = pl.scan_parquet(table).filter((pl.col("row") == number) & _is_origin(origin)).select("reason").collect()
    return found["reason"].item(0) if found.height else None


def read_by(contents: Contents, made: Made, row: str) -> dict[str, bool] | None:
    """Whether a training read a row, in train and in validation; None when its encoded rows are gone."""
    encoded = next((dep for dep in made.deps if dep.path.startswith("data/encoded/")), None)
    files = {split: contents.file(encoded, f"{split}.arrow") for split in ("train", "validation")}
    found = {split: _holds(path, _stamp(path), row) for split, path in files.items() if path}
    return found if len(found) == len(files) else None


def origins(part: Path) -> dict[str, int]:
    """How many rows of a table come from each file of the source, by name."""
    counted = pl.scan_parquet(part).group_by("origin").len().sort("origin").collect()
    return {str(origin): int(count) for origin, count in counted.iter_rows()}


def listed(part: Path) -> list[dict[str, Any]]:
    """Id, origin, row and label of every row of a table."""
    return pl.scan_parquet(part).select("id", "origin", "row", "label").collect().to_dicts()


def _table(state: State, contents: Contents, path: str) -> Path | None:
    return contents.file(state.out(path))


def _is_origin(origin: str) -> pl.Expr:
    """Rows of a file: as ingest calls it, without its folders, or by a longer path, which is what a shell completes."""
    known, longer = pl.col("origin"), pl.lit(f"/{origin}")
    return (known == origin) | known.str.ends_with(f"/{origin}") | longer.str.ends_with(pl.lit("/") + known)


def _first(table: Path | None, row: str, columns: tuple[str, ...]) -> dict[str, Any] | None:
    return _found(table, _stamp(table), row, columns) if table else None


def _stamp(path: Path) -> int:
    """When a file was written: an object of the cache never again, a file of the work tree perhaps."""
    return path.stat().st_mtime_ns


@lru_cache(maxsize=4096)  # states share most of their tables
def _found(table: Path, stamp: int, row: str, columns: tuple[str, ...]) -> dict[str, Any] | None:
    found = pl.scan_parquet(table).filter(pl.col("id") == row).select(columns).collect()
    return found.row(0, named=True) if found.height else None


@lru_cache(maxsize=4096)
def _holds(path: Path, stamp: int, row: str) -> bool:
    from wenhuo.encoding.store import read_ids

    return row in read_ids(path)


def _copies(removed: Path | None, row: str) -> list[dict[str, Any]]:
    if removed is None:
        return []
    found = pl.scan_parquet(removed).filter(pl.col("of") == row).select("id", "origin", "row", "split", "reason")
    return found.collect().to_dicts()
