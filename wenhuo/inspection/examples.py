"""The rows that a page shows: a few clusters of near-duplicates, contradicting texts and suspected labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.pages.wording import excerpt

MEMBERS = 5  # rows shown of a cluster


def near_duplicates(clusters: Path, count: int) -> list[dict[str, Any]]:
    """The largest clusters, and of these the first rows.

    Args:
        clusters: ``clusters.parquet`` as the stage ``clean`` writes it.
        count: how many clusters.

    Returns:
        For each cluster ``size``, ``labels`` (how many different ones) and ``rows`` (text, label, split, similarity).
    """
    rows = pl.scan_parquet(clusters)
    largest = (
        rows.group_by("cluster")
        .agg(pl.len().alias("size"), pl.col("label").n_unique().alias("labels"))
        .sort(["labels", "size", "cluster"], descending=[True, True, False])
        .head(count)
        .collect()
    )
    return [{**line, "rows": _shown(rows.filter(pl.col("cluster") == line["cluster"]))} for line in largest.to_dicts()]


def contradictions(path: Path, count: int) -> list[dict[str, Any]]:
    """The first texts that bear several labels: ``text``, and for each label where it stands, such as ``train 2``."""
    rows = pl.scan_parquet(path)
    groups = rows.select(pl.col("group").unique(maintain_order=True)).head(count)
    counted = (
        rows.join(groups, on="group", how="semi")
        .group_by("group", "label", pl.col("split").fill_null("undivided"))
        .agg(pl.col("text").first(), pl.len().alias("rows"))
        .sort("group", "label", "split")
        .group_by("group", "label", maintain_order=True)
        .agg(pl.col("text").first(), pl.format("{} {}", "split", "rows").alias("splits"))
        .collect()
    )
    parts = counted.partition_by("group", maintain_order=True)
    return [{"text": excerpt(part["text"][0]), "labels": part.select("label", "splits").to_dicts()} for part in parts]


def suspects(path: Path, count: int) -> list[dict[str, Any]]:
    """The most suspect rows, see ``suspects.parquet``."""
    rows = pl.scan_parquet(path).filter("flagged").sort("rank").head(count).collect()
    return [{**row, "text": excerpt(row["text"])} for row in rows.to_dicts()]


def _shown(rows: pl.LazyFrame) -> list[dict[str, Any]]:
    shown = rows.select("text", "label", pl.col("split").fill_null("undivided"), "similarity").head(MEMBERS).collect()
    return [{**row, "text": excerpt(row["text"])} for row in shown.to_dicts()]
