"""Texts that a corpus holds more than once: within a split, across splits, under several labels.

Two rows hold the same text when their keys are equal; the caller says what a key is: ``wenhuo.text.keys.loose_keys`` of
the texts, as read or cleaned, or numbers that stand for these. A blank text has the key "" or null. Everything works on
whole columns, and rows whose key no other row has may be left out (``repeated``): a million rows take seconds.

A table here has the columns ``key``, ``label``, ``split`` (train, validation, test, or null in an undivided corpus)
and, for the rules, ``id``; an earlier row of the table counts as the earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from wenhuo.splits import SPLITS, UNDIVIDED

LEARNT = pl.col("split").is_null() | (pl.col("split") == "train")
"""The rows that a model may be trained on: of these a corpus may lose some, of the test set it may not."""


@dataclass(frozen=True)
class Overlaps:
    """Counts of what stands in a corpus more than once. All are rows, only the contradictions are texts."""

    repeats_in_train: int
    """Rows of train that repeat an earlier row of train; the next three likewise."""
    repeats_in_validation: int
    repeats_in_test: int
    repeats_in_undivided: int
    train_in_validation: int
    """Rows of train whose text stands in validation."""
    train_in_test: int
    validation_in_train: int
    """Rows of validation whose text stands in train."""
    validation_in_test: int
    test_in_train: int
    """Rows of test whose text stands in train: what a model may have learnt by heart."""
    test_in_validation: int
    contradictions_in_train: int
    """Texts that train labels in several ways; the next three likewise."""
    contradictions_in_validation: int
    contradictions_in_test: int
    contradictions_in_undivided: int
    validation_in_train_otherwise: int
    """Rows of validation with a copy in train that bears another label."""
    test_in_train_otherwise: int
    """Rows of test with a copy in train that bears another label."""


def overlaps(table: pl.DataFrame) -> Overlaps:
    """Count what stands more than once in a table with the columns ``key``, ``label`` and ``split``.

    Blank texts are left out: they are no copies of each other but nothing at all.
    """
    rows = repeated(table).select("key", "label", pl.col("split").cast(pl.String).fill_null(UNDIVIDED))
    parts = {name: rows.filter(pl.col("split") == name) for name in (*SPLITS, UNDIVIDED)}
    counts: dict[str, int] = {}
    for name, part in parts.items():
        counts[f"repeats_in_{name}"] = part.height - part["key"].n_unique()
        counts[f"contradictions_in_{name}"] = contradicting(part).height
    for name in SPLITS:
        for other in SPLITS:
            if other != name:
                counts[f"{name}_in_{other}"] = parts[name].join(parts[other], on="key", how="semi").height
    for name in ("validation", "test"):
        counts[f"{name}_in_train_otherwise"] = _labelled_otherwise(parts[name], parts["train"])
    return Overlaps(**counts)


def is_blank(table: pl.DataFrame) -> pl.Expr:
    """Which rows of a table are blank."""
    key = pl.col("key")
    return key.is_null() | (key == "") if table.schema["key"] == pl.String else key.is_null()


def repeated(table: pl.DataFrame) -> pl.DataFrame:
    """The rows whose text another row has too; what no rule of this module can lose."""
    return table.filter(~is_blank(table) & pl.col("key").is_duplicated())


def contradicting(rows: pl.DataFrame) -> pl.DataFrame:
    """The keys with several labels, one a row."""
    return rows.unique(["key", "label"]).group_by("key").len().filter(pl.col("len") > 1).select("key")


def _labelled_otherwise(rows: pl.DataFrame, others: pl.DataFrame) -> int:
    copies = others.unique(["key", "label"]).rename({"label": "other"}).select("key", "other")
    numbered = rows.with_row_index("number").join(copies, on="key")
    return numbered.filter(pl.col("label") != pl.col("other"))["number"].n_unique()


Contradictions = Literal["drop", "majority", "keep"]


def blank(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of which nothing is left."""
    return found(rows.filter(is_blank(rows)), "blank")


def copies(rows: pl.DataFrame, which: pl.Expr, standing_in: str) -> pl.DataFrame:
    """The rows chosen by ``which`` whose text stands in the split ``standing_in``; ``of`` is the first copy there."""
    originals = rows.filter(pl.col("split") == standing_in)
    return found(rows.filter(which).join(_firsts(originals, "key"), on="key"), f"stands in {standing_in}")


def contradictions(rows: pl.DataFrame, policy: Contradictions) -> pl.DataFrame:
    """The learnt rows whose text bears several labels; ``of`` is the first row with another label.

    Args:
        rows: the table.
        policy: ``drop`` finds all of them, ``majority`` those that bear another label than most rows of that text
            (all of them in a tie), ``keep`` none.
    """
    learnt = rows.filter(LEARNT)
    doubtful = learnt.join(contradicting(learnt), on="key", how="semi", maintain_order="left")
    if policy == "keep" or doubtful.is_empty():
        return found(doubtful.head(0), "contradicting labels")
    first, label = pl.col("id").first().over("key"), pl.col("label")
    first_other = pl.col("id").filter(label != label.first()).first().over("key")
    doubtful = doubtful.with_columns(
        pl.when(label == label.first().over("key")).then(first_other).otherwise(first).alias("of")
    )
    if policy == "majority":
        doubtful = doubtful.join(_majorities(doubtful), on=["key", "label"], how="anti", maintain_order="left")
    return found(doubtful, "contradicting labels")


def _majorities(rows: pl.DataFrame) -> pl.DataFrame:
    """The label that more rows of a text bear than any other label, for the texts that have one."""
    votes = rows.group_by("key", "label").len()
    top = votes.filter(pl.col("len") == pl.col("len").max().over("key"))
    return top.filter(pl.len().over("key") == 1).select("key", "label")


def repeats(rows: pl.DataFrame) -> pl.DataFrame:
    """The learnt rows that repeat an earlier one, text and label; ``of`` is the first of them."""
    learnt = rows.filter(LEARNT)
    alike = learnt.join(_firsts(learnt, "key", "label"), on=["key", "label"], maintain_order="left")
    return found(alike.filter(pl.col("id") != pl.col("of")), "repeats an earlier row")


def _firsts(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The id of the first row of each group, as ``of``."""
    return rows.group_by(columns, maintain_order=True).agg(pl.col("id").first().alias("of"))


def found(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """What a rule returns: ``id``, ``reason`` and ``of``, the id of the row that a row copies, if it copies one."""
    of = pl.col("of") if "of" in rows.columns else pl.lit(None, dtype=rows.schema["id"]).alias("of")
    return rows.select("id", pl.lit(reason).alias("reason"), of)
