"""In which split a cluster of near-duplicates has its home, and which of its rows must be set aside."""

from __future__ import annotations

import polars as pl

from wenhuo.splits import SPLITS

Split = pl.Enum(SPLITS)

_AWAY = pl.col("split") != pl.col("home")
_LEARNT = pl.col("split") == "train"


def homes(rows: pl.DataFrame) -> pl.Series:
    """For each row that must be set aside the split that its cluster stands in, null for the others.

    Only rows that a hash put where they stand may be set aside. A cluster's home is where most of those stand, train in
    a tie; and train where a label would else be left without train rows. Where the publisher himself put rows of a
    cluster into validation or test, those that were cut out of train go, however many they are; what cleaning let
    stand in train beside them stays there.

    Args:
        rows: columns ``split`` (of ``Split``), ``ours`` (did a hash put it there?), ``label``, ``cluster`` (or null).
    """
    clustered = rows.with_row_index("number").filter(pl.col("cluster").is_not_null())
    published = clustered.filter(~pl.col("ours")).group_by("cluster").agg(home=pl.col("split").max())
    ours = clustered.filter("ours")
    cut = ours.filter(~_LEARNT).join(published, on="cluster")
    rest = _taught(rows, _elected(ours.join(published, on="cluster", how="anti"))).filter(_AWAY)
    aside = pl.concat([found.select("number", "home") for found in (cut, rest)])
    numbers = pl.DataFrame({"number": pl.int_range(rows.height, dtype=pl.UInt32, eager=True)})
    return numbers.join(aside, on="number", how="left", maintain_order="left")["home"]


def _elected(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the ``home`` of their cluster: the split that most of it stands in, the first one in a tie."""
    votes = rows.group_by("cluster", "split").len().sort("len", "split", descending=[True, False])
    return rows.join(votes.group_by("cluster").agg(home=pl.col("split").first()), on="cluster")


def _taught(rows: pl.DataFrame, clustered: pl.DataFrame) -> pl.DataFrame:
    """The clustered rows, with home in train for clusters whose absence would leave a label nothing there."""
    aside = clustered.filter(_AWAY & _LEARNT)
    before = rows.filter(_LEARNT).group_by("label").len("rows")
    untaught = before.join(aside.group_by("label").len("rows"), on=["label", "rows"], how="semi")
    needed = aside.join(untaught, on="label", how="semi").select("cluster").unique()
    home = pl.when(pl.col("needed").is_not_null()).then(pl.lit("train", Split)).otherwise("home")
    needed = needed.with_columns(needed=pl.lit(True))
    return clustered.join(needed, on="cluster", how="left").with_columns(home=home)
