"""Which rows of a corpus stay, which go and by what rule.

Tables have the columns of a ledger (``wenhuo.sifting.ledger``). Each rule is applied to what the ones before it left,
and returns ``id``, ``reason`` and ``of``, the id of the row that a row copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import polars as pl

from wenhuo.errors import DataError
from wenhuo.sifting.duplicates import (
    LEARNT,
    blank,
    contradicting,
    contradictions,
    copies,
    is_blank,
    repeated,
    repeats,
)
from wenhuo.splits import SPLITS, UNDIVIDED

Leaks = Literal["remove_from_train", "report", "fail"]
Whence = Callable[[int], str]
Rule = Callable[[pl.DataFrame], pl.DataFrame]


def sift(
    rows: pl.DataFrame,
    *,
    duplicates: Literal["remove", "keep"],
    contradicting: Literal["drop", "majority", "keep"],
    leaks: Leaks,
    whence: Whence,
) -> pl.DataFrame:
    """The rows that go because an equal text stands elsewhere, or because nothing is left of their own.

    Args:
        rows: ``id``, ``key``, ``label``, ``split``; an earlier row counts as the earlier one.
        duplicates: whether train rows that repeat an earlier one go.
        contradicting: which train rows go when their text bears several labels.
        leaks: what happens to train rows whose text stands in validation or test.
        whence: says for a person where the row of an id came from.

    Returns:
        ``id``, ``reason`` and ``of``, in the order of the rules.

    Raises:
        DataError: train rows stand in validation or test and ``leaks`` is ``fail``.
    """
    rules: list[Rule] = [
        lambda left: copies(left, pl.col("split") == "validation", "test"),
        lambda left: allowed(copies(left, LEARNT, "test"), "stand in test", leaks, whence),
        lambda left: allowed(copies(left, LEARNT, "validation"), "stand in validation", leaks, whence),
        lambda left: contradictions(left, contradicting),
    ]
    if duplicates == "remove":
        rules.append(repeats)
    return pl.concat([blank(rows), *applied(rules, repeated(rows))])


def applied(rules: list[Rule], rows: pl.DataFrame) -> list[pl.DataFrame]:
    """What each rule takes of what the ones before it left."""
    taken = []
    for rule in rules:
        taken.append(rule(rows))
        rows = rows.join(taken[-1], on="id", how="anti", maintain_order="left")
    return taken


def allowed(leaking: pl.DataFrame, what: str, leaks: Leaks, whence: Whence) -> pl.DataFrame:
    """The train rows that leak, or none of them where they are only to be reported.

    Raises:
        DataError: there are some and ``leaks`` is ``fail``.
    """
    if leaks == "fail" and not leaking.is_empty():
        raise DataError(
            f"{leaking.height:,} train rows {what}; the first is {whence(leaking['id'][0])}",
            "take them out of the source, or set clean.leaks to remove_from_train",
        )
    return leaking.head(0) if leaks == "report" else leaking


def leaked(rows: pl.DataFrame) -> pl.Series:
    """The ids of the rows of validation and test whose text stands in train."""
    copied = repeated(rows)
    learnt = copied.filter(LEARNT).select("key").unique()
    return copied.filter(~LEARNT).join(learnt, on="key", how="semi")["id"]


def contradictory(rows: pl.DataFrame) -> pl.DataFrame:
    """Every row whose text bears several labels in the corpus: ``id`` and ``group``, the first such row's id."""
    copied = repeated(rows)
    found = copied.join(contradicting(copied), on="key", how="semi")
    return found.select("id", pl.col("id").min().over("key").alias("group")).sort("group", "id")


def by_split(rows: pl.DataFrame) -> dict[str, int]:
    """Rows per split, of the splits that have any."""
    counts: dict[str, int] = dict(rows.group_by(pl.col("split").cast(pl.String).fill_null(UNDIVIDED)).len().iter_rows())
    return {name: counts[name] for name in (*SPLITS, UNDIVIDED) if name in counts}


def by_size(sizes: pl.Series) -> dict[str, int]:
    """How many groups have 2 members, 3, 4 to 7, 8 to 15, and so on by powers of two."""
    counted: dict[int, int] = dict(sizes.value_counts().sort(sizes.name).iter_rows())
    named: dict[str, int] = {}
    for size, groups in counted.items():
        low = 1 << (size.bit_length() - 1)
        name = str(size) if size < 4 else f"{low}-{2 * low - 1}"
        named[name] = named.get(name, 0) + groups
    return named


def copies_by_size(rows: pl.DataFrame) -> dict[str, int]:
    """How many texts stand in 2 rows, in 3, and so on."""
    return by_size(rows.filter(~is_blank(rows)).group_by("key").len("rows").filter(pl.col("rows") > 1)["rows"])


def removed_by_reason(rows: pl.DataFrame, taken: pl.DataFrame) -> dict[str, Any]:
    """Rows that went, by reason and split, the reasons in alphabetical order."""
    parts = rows.join(taken, on="id").partition_by("reason", as_dict=True)
    return {reason: by_split(part) for (reason,), part in sorted(parts.items())}
