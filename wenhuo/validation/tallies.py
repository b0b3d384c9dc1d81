"""The small tables that expectations are asked of: sums and shares of the measured rows, and one row a label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wenhuo.validation.columns import COLUMNS
from wenhuo.validation.measures import Measures, measure_declared, measure_fields

SHARES = ("is_blank", "repeats_earlier")


def tallies(corpus: Path, measures: Measures, label_order: Sequence[str] | None) -> dict[str, pl.DataFrame]:
    """By the name of the batch: ``whole``, one row; ``labels``, ``fields`` and ``declared``, one row each."""
    return {
        "whole": whole(measures.rows),
        "labels": measures.labels.select("rows", "share"),
        "fields": measure_fields(corpus),
        "declared": measure_declared(measures.labels, label_order),
    }


def whole(rows: pl.DataFrame) -> pl.DataFrame:
    """One row: ``rows``, the number of rows that have each flag, ``longest`` text, shares from 0 to 1 or null."""
    flags = [name for name, column in COLUMNS.items() if column.kind == "flag"]
    return rows.select(
        pl.len().cast(pl.Int64).alias("rows"),
        *(pl.col(name).sum().cast(pl.Int64) for name in flags),
        pl.col("characters").max().cast(pl.Int64).alias("longest"),
        pl.col("chinese_share").cast(pl.Float64).mean(),
        *(pl.col(name).mean().alias(f"{name}_share") for name in SHARES),
    )
