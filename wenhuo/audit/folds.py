"""Dividing train rows into folds: by label, by hash, and copies together."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl

from wenhuo.text.keys import loose_keys

Folds = npt.NDArray[np.int64]


def grouped(rows: pl.DataFrame) -> pl.Series:
    """What must stay in one fold: the rows of a cluster of near-duplicates, and those of one text, white space aside.

    A row's near copy in another fold would tell that fold's model the answer. Tables without ``cluster`` have none.
    """
    key = loose_keys(pl.col("text"))
    group = pl.coalesce(pl.col("cluster").cast(pl.String), key) if "cluster" in rows.columns else key
    return rows.select(group.alias("group"))["group"]


def assign(groups: pl.Series, classes: npt.NDArray[np.int32], folds: int) -> Folds:
    """The fold of each row, shape (n,): groups dealt out in the order of their hashes, one label after the other.

    Each fold gets an equal share of each label, and of labels with fewer groups than folds no fold gets two. The order
    of the rows changes nothing. A group belongs to the smallest label among its rows.
    """
    table = pl.DataFrame({"group": groups, "label": classes})
    firsts = table.group_by("group").agg(pl.col("label").min())
    place = pl.Series(
        [blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8).digest() for group in firsts["group"]]
    )
    dealt = firsts.with_columns(place.alias("place")).sort("label", "place", "group").with_row_index("dealt")
    found = table.join(dealt, on="group", how="left", maintain_order="left")["dealt"]
    return np.asarray(found.to_numpy() % folds, dtype=np.int64)
