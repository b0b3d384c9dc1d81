"""The figures around the verdicts: rows by split and label, lengths, and what stands in more than one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from wenhuo.sifting.duplicates import overlaps
from wenhuo.splits import SPLITS, UNDIVIDED
from wenhuo.validation.measures import Measures
from wenhuo.validation.verdicts import Verdict

LABELS_SHOWN = 40  # a table of more is read by nobody; the rest is summed up
LABEL_CHARACTERS = 60  # of a name; a longer one is cut
QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}


def summarise(
    measures: Measures, verdicts: Sequence[Verdict], *, about: Mapping[str, Any], max_labels: int
) -> dict[str, Any]:
    """All that the reports say, in values that JSON holds; the same corpus gives the same bytes.

    Args:
        measures: of the corpus.
        verdicts: one for each expectation.
        about: ``source`` and ``synthetic`` of the corpus.
        max_labels: with more labels than this their names are withheld: they may well be texts.
    """
    failed = [verdict.level for verdict in verdicts if not verdict.success]
    named = measures.rows.select(pl.col("split").cast(pl.String).fill_null(UNDIVIDED), "label", "source", "characters")
    counts = dict(named.group_by("split").agg(pl.len()).iter_rows())
    splits = [name for name in (*SPLITS, UNDIVIDED) if name in counts]
    return {
        "success": "error" not in failed,
        "errors": failed.count("error"),
        "warnings": failed.count("warning"),
        "source": about.get("source"),
        "synthetic": bool(about.get("synthetic")),
        "rows": {"all": named.height} | {name: counts[name] for name in splits},
        "sources": _sources(named, splits),
        "labels": _labels(named, splits, max_labels),
        "lengths": _lengths(named, splits),
        "overlaps": asdict(overlaps(measures.copies)),
        "copies": _copies(measures.copies),
        "expectations": [asdict(verdict) for verdict in verdicts],
    }


def _copies(copies: pl.DataFrame) -> dict[str, Any]:
    """Texts that stand in several rows: how many rows they have, how many texts they are, texts by number of rows."""
    groups = copies.group_by("key").agg(pl.len().alias("rows"))
    counts = groups.group_by("rows").agg(pl.len().alias("texts")).sort("rows")
    by_size: dict[str, int] = {}
    for rows, texts in counts.iter_rows():
        by_size[size_name(rows)] = by_size.get(size_name(rows), 0) + texts
    return {"texts": groups.height, "rows": copies.height, "by_size": by_size}


def size_name(rows: int) -> str:
    """The class that a group of so many rows belongs to: 2, 3, 4-7, 8-15 and so on, each twice as wide."""
    if rows < 4:
        return str(rows)
    low: int = 1 << (rows.bit_length() - 1)
    return f"{low}-{2 * low - 1}"


def _sources(table: pl.DataFrame, splits: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of each source in each split, in the order of the names."""
    counted = (pl.col("split") == pl.lit(name) for name in splits)
    sums = [column.sum().cast(pl.Int64).alias(name) for column, name in zip(counted, splits, strict=True)]
    groups = table.group_by(pl.col("source").cast(pl.String)).agg(pl.len().cast(pl.Int64).alias("all"), *sums)
    return groups.sort("source").to_dicts()


def _labels(table: pl.DataFrame, splits: Sequence[str], max_labels: int) -> dict[str, Any]:
    """Rows of each label in each split, the commonest labels first."""
    counted = (pl.col("split") == pl.lit(name) for name in splits)
    sums = [column.sum().alias(name) for column, name in zip(counted, splits, strict=True)]
    counts = (
        table.filter(pl.col("label").is_not_null())
        .group_by(pl.col("label").cast(pl.String))
        .agg(pl.len().alias("all"), *sums)
        .sort(["all", "label"], descending=[True, False])
    )
    withheld = counts.height > max_labels
    shown = counts.head(0 if withheld else LABELS_SHOWN).with_columns(_cut(pl.col("label")))
    rest = counts.slice(shown.height)
    return {
        "number": counts.height,
        "names_withheld": withheld,
        "rows": shown.to_dicts(),
        "others": {"number": rest.height, "rows": int(rest["all"].sum())},
    }


def _cut(name: pl.Expr) -> pl.Expr:
    long = name.str.len_chars() > LABEL_CHARACTERS
    return pl.when(long).then(name.str.slice(0, LABEL_CHARACTERS) + "…").otherwise(name)


def _lengths(table: pl.DataFrame, splits: Sequence[str]) -> dict[str, Any]:
    """How long the texts of each split are, in characters: quantiles, and counts in bins of growing width."""
    characters = {name: table.filter(pl.col("split") == name)["characters"].to_numpy() for name in splits}
    edges = length_edges(max((int(values.max()) for values in characters.values()), default=0))
    return {
        "edges": edges,
        "all": _quantiles(table["characters"].to_numpy()),
        "splits": {
            name: {"rows_by_bin": np.histogram(values, edges)[0].tolist()} | _quantiles(values)
            for name, values in characters.items()
        },
    }


def _quantiles(values: Any) -> dict[str, int]:
    if not len(values):
        return {}
    found = np.quantile(values, list(QUANTILES.values()), method="lower")
    return {name: int(value) for name, value in zip(QUANTILES, found, strict=True)}


def length_edges(longest: int) -> list[int]:
    """0, 1, 2, 3, 4, 6, 8, 11, 16 …, past the longest: lengths spread over powers of ten, so bins widen by √2."""
    steps = 2 * max(longest, 1).bit_length() + 1
    return sorted({0} | {round(2 ** (step / 2)) for step in range(steps)})
