"""Dividing a corpus by the hash of its texts, so that it stays divided the same way when rows are added.

Each text has a fixed place between 0 and 1 that follows from the text and the seed alone. What lies below the share of
the test set is test, what lies next is validation, the rest is train. Equal texts have equal places, so none straddles
two splits; and since the place knows nothing of the label, every label is divided in the same shares, in expectation.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Any

import polars as pl

from wenhuo.errors import DataError
from wenhuo.text.keys import loose_keys

SPLITS = ("train", "validation", "test")


def place(key: str, seed: int) -> float:
    """Where a text stands between 0 and 1 (1 excluded): the first 53 bits of a keyed BLAKE2b hash."""
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=str(seed).encode()).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def divide(rows: pl.DataFrame, *, seed: int, validation: float, test: float) -> tuple[pl.DataFrame, dict[str, str]]:
    """Give every row a split: the publisher's where there is one, else one by hash.

    A publisher's split stays as it is. A validation or test set that it lacks is cut from train, and rows without a
    split are train rows there. A label of which nothing would be left in train keeps all its rows in train: one row
    cannot be learnt and tested. These rows alone may move when rows are added.

    Args:
        rows: columns ``text`` (cleaned), ``label``, ``split`` (null, train, validation or test).
        seed: of the hash.
        validation: share of the validation set, of the rows it is cut from.
        test: share of the test set.

    Returns:
        The rows with no null in ``split``, and how each split came about.

    Raises:
        DataError: a publisher's split has no train rows.
    """
    given = set(rows["split"].drop_nulls().unique())
    if given and "train" not in given and rows["split"].null_count() == 0:
        raise DataError(
            f"the source has rows for {' and '.join(sorted(given))}, but none for train", "add a train file"
        )
    lacking = {"test": test, "validation": validation}
    shares = {name: share for name, share in lacking.items() if name not in given}
    rows = rows.with_columns(pl.col("split").fill_null("train"))
    if shares:
        rows = _cut(rows, seed, shares)
    made = {name: "published" if name in given else "by hash" for name in SPLITS}
    return rows, made | ({"train": "published, less what was cut"} if "train" in given and shares else {})


def _cut(rows: pl.DataFrame, seed: int, shares: dict[str, float]) -> pl.DataFrame:
    rows = rows.with_columns(loose_keys(pl.col("text")).alias("_key"))
    whole = rows.filter(pl.col("split") == "train")
    keys = whole["_key"].unique(maintain_order=True)
    places = pl.Series([place(key, seed) for key in keys], dtype=pl.Float64)
    cut = pl.lit("train")
    for name, below in reversed(list(zip(shares, accumulate(shares.values()), strict=True))):
        cut = pl.when(pl.col("place") < below).then(pl.lit(name)).otherwise(cut)
    frame = pl.DataFrame({"_key": keys, "place": places}).select("_key", cut.alias("_cut"))
    rows = rows.join(_spared(whole, frame), on="_key", how="left", maintain_order="left")
    chosen = pl.when(pl.col("split") == "train").then(pl.col("_cut").fill_null("train")).otherwise(pl.col("split"))
    return rows.with_columns(chosen.alias("split")).drop("_key", "_cut")


def _spared(whole: pl.DataFrame, cut: pl.DataFrame) -> pl.DataFrame:
    """The cut without the texts of those labels that it would leave nothing of in train."""
    parts = whole.join(cut, on="_key")
    learnt = parts.filter(pl.col("_cut") == "train")["label"].unique()
    lost = parts.filter(~pl.col("label").is_in(learnt.implode()))["_key"].unique()
    return cut.filter(~pl.col("_key").is_in(lost.implode()))


def ordered_labels(labels: Sequence[str], order: Sequence[str] | None) -> list[str]:
    """The labels that occur, in the order given (labels without a place in it at its end), else sorted.

    So neither the order of the rows nor a label more or less in one split permutes the ids of the labels.
    """
    present = set(labels)
    first = [label for label in order or [] if label in present]
    return first + sorted(present.difference(first))


def check_parts(parts: dict[str, pl.DataFrame]) -> None:
    """Refuse splits that nothing can be learnt from or measured on.

    Raises:
        DataError: a split is empty, train holds one label only, or validation or test hold a label that train lacks.
    """
    empty = [name for name, part in parts.items() if part.is_empty()]
    if empty:
        raise DataError(f"no rows for {' and '.join(empty)}", "add rows, or raise split.validation and split.test")
    learnt = set(parts["train"]["label"])
    for name in ("validation", "test"):
        unknown = sorted(set(parts[name]["label"]) - learnt)
        if unknown:
            named = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
            what = f"label {named} stands" if len(unknown) == 1 else f"labels {named} stand"
            raise DataError(f"{what} in {name} but not in train", f"add train rows with it, or take it out of {name}")
    if len(learnt) < 2:
        raise DataError(f"train holds one label only, {next(iter(learnt))}", "a classifier needs two or more")


def census(parts: dict[str, pl.DataFrame], labels: Sequence[str]) -> dict[str, Any]:
    """Rows and shares of each split, each label's rows and shares in each, and the labels that a split lacks.

    Returns:
        ``rows`` and ``shares`` (of all rows) by split; ``labels``: by label, by split, ``rows`` and ``share`` (of the
        split's rows); ``warnings``, a sentence for each label that validation or test lack.
    """
    rows = {name: part.height for name, part in parts.items()}
    counts = {name: dict(part["label"].value_counts().iter_rows()) for name, part in parts.items()}
    total = sum(rows.values())
    return {
        "rows": rows,
        "shares": {name: count / total for name, count in rows.items()},
        "labels": {
            label: {
                name: {"rows": counts[name].get(label, 0), "share": counts[name].get(label, 0) / max(rows[name], 1)}
                for name in parts
            }
            for label in labels
        },
        "warnings": [
            f"label {label} is missing from {name}: nothing can be said about it there"
            for name in ("validation", "test")
            for label in labels
            if label not in counts[name]
        ],
    }
