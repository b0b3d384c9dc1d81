"""The train rows most like a text, and what the audit thinks of their labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wenhuo.console import track
from wenhuo.explaining.explanation import Neighbour, Neighbours, Opened

LISTED = ("id", "suggested", "flagged", "action")
DIGITS = 9  # of a cosine; rows that differ in later ones only are equals


def nearest(opened: Opened, text: str, train: Path, suspects: Path, *, count: int, among: int) -> Neighbours:
    """The train rows with the highest cosines to a text.

    Args:
        opened: the model.
        text: cleaned.
        train: rows with ``id``, ``text`` and ``label``, sorted by id. An id is a hash, so the first rows are a sample.
        suspects: what `audit` listed; it may be missing.
        count: rows wanted.
        among: rows looked at, at most; 0 looks at all.
    """
    table = pl.scan_parquet(train).select("id", "text", "label")
    total = int(table.select(pl.len()).collect().item())
    rows = (table.head(among) if among else table).collect()
    cosines = np.concatenate([np.zeros(0), *_cosines(opened, text, rows["text"].to_list())]).round(DIGITS)
    best = np.argsort(-cosines, kind="stable")[:count].tolist()
    listed = _listed(suspects)
    found = [
        _neighbour(row, float(cosines[place]), listed)
        for place, row in zip(best, rows[best].iter_rows(named=True), strict=True)
    ]
    return Neighbours(found, rows.height, total, opened.kind)


def _cosines(opened: Opened, text: str, texts: list[str]) -> Iterator[NDArray[np.float64]]:
    target = opened.vectors([text])
    size = opened.rows_at_once
    starts = range(0, len(texts), size)
    for start in track(starts, "comparing with train rows", len(starts)):
        product: Any = opened.vectors(texts[start : start + size]) @ target.T
        yield np.asarray(product.toarray() if hasattr(product, "toarray") else product, dtype=np.float64)[:, 0]


def _listed(suspects: Path) -> dict[str, dict[str, Any]]:
    """The suspects of train by id; none where there is no such file."""
    if not suspects.exists():
        return {}
    table = pl.read_parquet(suspects, columns=[*LISTED, "split"]).filter(pl.col("split") == "train")
    return {row["id"]: row for row in table.select(LISTED).iter_rows(named=True)}


def _neighbour(row: dict[str, Any], similarity: float, listed: dict[str, dict[str, Any]]) -> Neighbour:
    return Neighbour(row["id"], row["text"], row["label"], similarity, **_without_id(listed.get(row["id"], {})))


def _without_id(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}
