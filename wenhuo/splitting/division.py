"""Dividing a corpus by the hash of its texts, so that it stays divided the same way when rows are added.

Each text has a fixed place between 0 and 1 that follows from the text and the seed alone. What lies below the share of
the test set is test, what lies next is validation, the rest is train. Equal texts have equal places, so none straddles
two splits; and since the place knows nothing of the label, every label is divided in the same shares, in expectation.

Near-duplicates have different places. Where a cluster of them would straddle splits that are made here, it has its home
where most of its rows stand, and its rows elsewhere are set aside: no row ever moves to another split for the sake of
one that was added (docs/decisions/0012).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl

from wenhuo.errors import DataError
from wenhuo.splits import SPLITS
from wenhuo.splitting.homes import Split, homes
from wenhuo.text.keys import loose_keys


@dataclass(frozen=True)
class Division:
    """Where the rows go, in their order.

    Attributes:
        split: train, validation or test.
        home: for a row that is set aside, the split that its cluster stands in; null for one that stays.
        made: how each split came about.
    """

    split: pl.Series
    home: pl.Series
    made: dict[str, str]

    def counts(self, labels: pl.Series) -> dict[str, dict[str, int]]:
        """Rows by split and label, of those that stay."""
        rows = pl.DataFrame({"split": self.split.cast(pl.String), "label": labels.cast(pl.String)}).filter(
            self.home.is_null()
        )
        counted = rows.group_by("split", "label").len().sort("split", "label")
        return {name: dict(counted.filter(pl.col("split") == name).drop("split").iter_rows()) for name in SPLITS}

    def removed(self) -> dict[str, dict[str, int]]:
        """Rows that are set aside, by reason and by the split they would have stood in."""
        rows = pl.DataFrame({"split": self.split, "home": self.home}).drop_nulls()
        counted = rows.group_by("home", "split").len().sort("home", "split")
        reasons: dict[str, dict[str, int]] = {}
        for home, split, count in counted.iter_rows():
            reasons.setdefault(f"nearly stands in {home}", {})[split] = count
        return reasons


def place(key: str, seed: int) -> float:
    """Where a text stands between 0 and 1 (1 excluded): the first 53 bits of a keyed BLAKE2b hash."""
    return float(_places([key.encode()], seed)[0])


def places(texts: pl.Series, seed: int) -> pl.Series:
    """The place of each of a column of cleaned texts (Float64); white space makes no difference."""
    keys = texts.to_frame("text").select(loose_keys(pl.col("text")))["text"]
    return pl.Series("place", _places(keys.cast(pl.Binary).to_list(), seed))


def _places(keys: Sequence[bytes], seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    hashed, salt = blake2b, str(seed).encode()
    digests = b"".join(hashed(key, digest_size=8, key=salt).digest() for key in keys)
    return (np.frombuffer(digests, dtype=">u8") >> 11) / 2**53


def divide(rows: pl.DataFrame, *, validation: float, test: float) -> Division:
    """Give every row a split: the publisher's where there is one, else one by hash.

    A publisher's split stays as it is. A validation or test set that it lacks is cut from train, and rows without a
    split are train rows there. A label of which nothing would be left in train keeps all its rows in train: one row
    cannot be learnt and tested. The rows of such a label alone may move when rows are added.

    Args:
        rows: columns ``place`` (see ``places``), ``label``, ``split`` (null, train, validation or test) and ``cluster``
            (null, or the same for all rows of a cluster of near-duplicates).
        validation: share of the validation set, of the rows it is cut from.
        test: share of the test set.

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
    rows = rows.with_columns(pl.col("split").fill_null("train").cast(Split))
    rows = rows.with_columns(ours=pl.col("split") == "train")
    if shares:
        rows = _cut(rows, shares)
    made = {name: "published" if name in given else "by hash" for name in SPLITS}
    made |= {"train": "published, less what was cut"} if "train" in given and shares else {}
    return Division(rows["split"], homes(rows), made)


def _cut(rows: pl.DataFrame, shares: dict[str, float]) -> pl.DataFrame:
    """The rows of train, divided; but for the texts of those labels that this would leave nothing of in train."""
    cut = pl.lit("train", dtype=Split)
    for name, below in reversed(list(zip(shares, accumulate(shares.values()), strict=True))):
        cut = pl.when(pl.col("place") < below).then(pl.lit(name, dtype=Split)).otherwise(cut)
    rows = rows.with_columns(pl.when("ours").then(cut).otherwise("split").alias("split"))
    learnt = rows.filter(pl.col("ours") & (pl.col("split") == "train"))["label"].unique()
    lost = rows.filter(pl.col("ours") & ~pl.col("label").is_in(learnt.implode()))["place"].unique()
    spared = pl.col("ours") & pl.col("place").is_in(lost.implode())
    return rows.with_columns(pl.when(spared).then(pl.lit("train", dtype=Split)).otherwise("split").alias("split"))


def ordered_labels(labels: Sequence[str], order: Sequence[str] | None) -> list[str]:
    """The labels that occur, in the order given (labels without a place in it at its end), else sorted.

    So neither the order of the rows nor a label more or less in one split permutes the ids of the labels.
    """
    present = set(labels)
    first = [label for label in order or [] if label in present]
    return first + sorted(present.difference(first))


def check_counts(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Refuse splits that nothing can be learnt from or measured on.

    Args:
        counts: rows by split and label.

    Raises:
        DataError: a split is empty, train holds one label only, or validation or test hold a label that train lacks.
    """
    empty = [name for name, labels in counts.items() if not labels]
    if empty:
        raise DataError(f"no rows for {' and '.join(empty)}", "add rows, or raise split.validation and split.test")
    learnt = set(counts["train"])
    for name in ("validation", "test"):
        unknown = sorted(set(counts[name]) - learnt)
        if unknown:
            named = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
            what = f"label {named} stands" if len(unknown) == 1 else f"labels {named} stand"
            raise DataError(f"{what} in {name} but not in train", f"add train rows with it, or take it out of {name}")
    if len(learnt) < 2:
        raise DataError(f"train holds one label only, {next(iter(learnt))}", "a classifier needs two or more")


def census(counts: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> dict[str, Any]:
    """Rows and shares of each split, each label's rows and shares in each, and the labels that a split lacks.

    Args:
        counts: rows by split and label.
        labels: in their order.

    Returns:
        ``rows`` and ``shares`` (of all rows) by split; ``labels``: by label, by split, ``rows`` and ``share`` (of the
        split's rows); ``warnings``, a sentence for each label that validation or test lack.
    """
    rows = {name: sum(of.values()) for name, of in counts.items()}
    total = sum(rows.values())
    return {
        "rows": rows,
        "shares": {name: count / total for name, count in rows.items()},
        "labels": {
            label: {
                name: {"rows": of.get(label, 0), "share": of.get(label, 0) / max(rows[name], 1)}
                for name, of in counts.items()
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
