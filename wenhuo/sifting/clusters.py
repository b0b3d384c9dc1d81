"""What near-duplicates mean for the rows: which are taken for standing too near to another split, and the figures.

A table has ``id``, ``split``, ``label``, ``cluster`` (id of the first row of the cluster of near-duplicates that a row
belongs to, null for none) and ``similarity`` (to the nearest row found).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from wenhuo.near.options import NearDuplicates
from wenhuo.sifting.duplicates import LEARNT, found
from wenhuo.sifting.ledger import Split
from wenhuo.sifting.sifting import Leaks, Rule, Whence, allowed, applied, by_size
from wenhuo.splits import SPLITS

if TYPE_CHECKING:
    from wenhuo.near.search import Near


def no_members() -> pl.DataFrame:
    """The table of no rows."""
    kinds: dict[str, Any] = dict.fromkeys(("id", "split", "label", "cluster"), pl.UInt32)
    return pl.DataFrame(schema=kinds | {"split": Split, "similarity": pl.Float32})


def clustered(rows: pl.DataFrame, near: Near) -> pl.DataFrame:
    """The rows that were looked at, of those that belong to a cluster.

    Args:
        rows: ``id``, ``split`` and ``label`` of the rows, in the order in which their texts were given.
        near: what was found.
    """
    heads = pl.Series("cluster", rows["id"].to_numpy()[near.cluster], dtype=pl.UInt32)
    similarity = pl.Series("similarity", near.similarity)
    return rows.select("id", "split", "label").with_columns(heads, similarity).filter(pl.Series(near.cluster >= 0))


def sift_near(members: pl.DataFrame, in_train: Literal["keep", "remove"], leaks: Leaks, whence: Whence) -> pl.DataFrame:
    """The rows that go because they are nearly the same as another.

    The published test set loses none. Validation rows near to test go, train rows near to test or validation go, so
    that no cluster is left in two splits. With ``leaks`` ``report`` all stay.

    Args:
        members: what ``clustered`` returns.
        in_train: whether train rows go that nearly repeat an earlier train row with the same label.
        leaks: what happens to train rows that nearly stand in validation or test.
        whence: says for a person where the row of an id came from.

    Returns:
        ``id``, ``reason`` and ``of``: the first row of the cluster in the other split, or the first alike of train.

    Raises:
        DataError: train rows nearly stand in validation or test and ``leaks`` is ``fail``.
    """
    rules: list[Rule] = [
        lambda left: allowed(_near(left, LEARNT, "test"), "nearly stand in test", leaks, whence),
        lambda left: allowed(_near(left, LEARNT, "validation"), "nearly stand in validation", leaks, whence),
    ]
    if leaks == "remove_from_train":
        rules.insert(0, lambda left: _near(left, pl.col("split") == "validation", "test"))
    if in_train == "remove":
        rules.append(_near_repeats)
    return pl.concat(applied(rules, members))


def near_leaked(members: pl.DataFrame) -> pl.Series:
    """The ids of the rows of validation and test that have a train row in their cluster."""
    learnt = members.filter(LEARNT).select("cluster").unique()
    return members.filter(~LEARNT).join(learnt, on="cluster", how="semi")["id"]


def near_figures(members: pl.DataFrame, near: Near, rows: int, options: NearDuplicates) -> dict[str, Any]:
    """What the report says of near-duplicates.

    Args:
        members: what ``clustered`` returns.
        near: what was found.
        rows: rows that were looked at.
        options: what counts as near.
    """
    clusters = members.group_by("cluster").agg(pl.len().alias("rows"), pl.col("label").n_unique().alias("labels"))
    return {
        "threshold": options.threshold,
        "characters": options.characters,
        "rows": rows,
        "pairs": near.pairs,
        "unlooked": near.unlooked,
        "clusters": clusters.height,
        "clustered_rows": members.height,
        "by_size": by_size(clusters["rows"]),
        "across": _across(members),
        "labels_differ": int((clusters["labels"] > 1).sum()),
    }


def _across(members: pl.DataFrame) -> dict[str, int]:
    """Rows of one split that have a row of another in their cluster."""
    named = members.with_columns(pl.col("split").fill_null("train"))
    parts = {name: named.filter(pl.col("split") == name) for name in SPLITS}
    return {
        f"{name}_in_{other}": parts[name].join(parts[other], on="cluster", how="semi").height
        for name in parts
        for other in parts
        if name != other
    }


def _near(rows: pl.DataFrame, which: pl.Expr, split: str) -> pl.DataFrame:
    firsts = rows.filter(pl.col("split") == split).group_by("cluster").agg(pl.col("id").min().alias("of"))
    near = rows.filter(which).join(firsts, on="cluster", maintain_order="left")
    return found(near, f"nearly stands in {split}")


def _near_repeats(rows: pl.DataFrame) -> pl.DataFrame:
    learnt = rows.filter(LEARNT).with_columns(pl.col("id").min().over("cluster", "label").alias("of"))
    return found(learnt.filter(pl.col("id") != pl.col("of")), "nearly repeats an earlier row")
