"""Which rows of a corpus stay once its texts are cleaned, which go and by what rule, and the figures about it.

Tables have the columns of the corpus: ``id``, ``text``, ``label``, ``split``, ``origin``, ``row``. ``normalised`` adds
``key`` (the cleaned text without white space: rows with equal keys hold the same text) and ``leaked``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

import polars as pl

from wenhuo.errors import DataError
from wenhuo.quality.duplicates import LEARNT, UNDIVIDED, blank, contradictions, copies, overlaps, repeats
from wenhuo.text.cleaning import STEPS, Cleaning, changing_steps, clean_texts
from wenhuo.text.keys import loose_keys

COLUMNS = ("id", "text", "label", "split", "origin", "row")
"""The columns of a corpus."""

CHUNK = 100_000
"""Texts that are Python objects at one time."""

Leaks = Literal["remove_from_train", "report", "fail"]
Rule = Callable[[pl.DataFrame], pl.DataFrame]


def arranged(rows: pl.DataFrame) -> pl.DataFrame:
    """The corpus by origin and row, whatever order it came in, so that "earlier" means the same in every order."""
    return rows.select(COLUMNS).sort("origin", "row", "id").with_columns(pl.col("text").fill_null(""))


def normalised(rows: pl.DataFrame, steps: Cleaning) -> pl.DataFrame:
    """The rows with cleaned texts, their ``key``, and ``leaked``: whether a validation or test row has a train copy."""
    chunks = (rows["text"].slice(start, CHUNK) for start in range(0, max(rows.height, 1), CHUNK))
    cleaned = pl.concat([pl.Series(clean_texts(chunk, steps), dtype=pl.String) for chunk in chunks])
    rows = rows.with_columns(cleaned.alias("text")).with_columns(loose_keys(pl.col("text")).alias("key"))
    learnt = rows.filter(LEARNT & (pl.col("key") != ""))["key"].unique()
    return rows.with_columns((~LEARNT & pl.col("key").is_in(learnt.implode())).alias("leaked"))


def sift(
    rows: pl.DataFrame,
    *,
    repeated: Literal["remove", "keep"],
    contradicting: Literal["drop", "majority", "keep"],
    leaks: Leaks,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Apply the rules, each to what the ones before it left.

    Args:
        rows: what ``normalised`` returns; an earlier row counts as the earlier one.
        repeated: whether train rows that repeat an earlier one go.
        contradicting: which train rows go when their text bears several labels.
        leaks: what happens to train rows whose text stands in validation or test.

    Returns:
        The rows that stay; and of those that go ``id``, ``reason`` and ``of``, the id of the row they copy.

    Raises:
        DataError: train rows stand in validation or test and ``leaks`` is ``fail``.
    """
    rules: list[Rule] = [
        blank,
        lambda left: copies(left, pl.col("split") == "validation", "test"),
        lambda left: _leaks(left, "test", leaks),
        lambda left: _leaks(left, "validation", leaks),
        lambda left: contradictions(left, contradicting),
    ]
    if repeated == "remove":
        rules.append(repeats)
    taken = []
    for rule in rules:
        taken.append(rule(rows))
        rows = rows.join(taken[-1], on="id", how="anti", maintain_order="left")
    return rows, pl.concat(taken)


def _leaks(rows: pl.DataFrame, split: str, leaks: Leaks) -> pl.DataFrame:
    found = copies(rows, LEARNT, split)
    if leaks == "fail" and not found.is_empty():
        raise DataError(
            f"{found.height:,} train rows stand in {split}; the first is {_whence(rows, found['id'][0])}",
            "take them out of the source, or set clean.leaks to remove_from_train",
        )
    return found.head(0) if leaks == "report" else found


def _whence(rows: pl.DataFrame, row_id: str) -> str:
    origin, row = rows.filter(pl.col("id") == row_id).select("origin", "row").row(0)
    return f"{origin}, row {row}"


def figures(read: pl.DataFrame, rows: pl.DataFrame, left: pl.DataFrame, taken: pl.DataFrame) -> dict[str, Any]:
    """What the report says: rows in and out, why rows went, rows of validation and test that had a copy, overlaps.

    Args:
        read: the rows as read.
        rows: the same rows, normalised.
        left: those that stay.
        taken: ``id`` and ``reason`` of those that go.
    """
    reasons = read.join(taken, on="id").sort("reason").partition_by("reason")
    as_read = read.with_columns(loose_keys(pl.col("text")).alias("key"))
    return {
        "rows": {"in": by_split(read), "out": by_split(left)},
        "removed": {part["reason"][0]: by_split(part) for part in reasons},
        "leaked": by_split(left.filter("leaked")),
        "overlaps": {"as_read": asdict(overlaps(as_read)), "normalised": asdict(overlaps(rows))},
    }


def changes(read: pl.DataFrame, rows: pl.DataFrame, steps: Cleaning) -> dict[str, int]:
    """How many texts changed at all, and how many each step changed."""
    changed = read["text"].filter(read["text"] != rows["text"])
    counts = Counter(step for text in changed for step in changing_steps(text, steps))
    return {"texts": len(changed)} | {step: counts[step] for step in STEPS}


def by_split(rows: pl.DataFrame) -> dict[str, int]:
    """Rows per split, of the splits that have any."""
    counts = Counter(rows["split"].fill_null(UNDIVIDED).to_list())
    return {name: counts[name] for name in ("train", "validation", "test", UNDIVIDED) if counts[name]}
