"""Rows whose label may be wrong: judged by a linear model that did not see them, ranked, the top ones kept.

Train rows are judged out of fold. Validation and test rows are judged by a model of all train rows and listed beside
them for a person; nothing about train follows from them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wenhuo.audit.features import count
from wenhuo.audit.folds import assign, grouped
from wenhuo.audit.options import Auditing, Policy
from wenhuo.audit.probabilities import Classes, Probabilities, out_of_fold, unseen
from wenhuo.audit.ranking import judge

FEWEST = 5
"""Different texts that a label needs to be judged, and rows that dropping or relabelling leaves it."""

CELLS = 4_000_000
"""Rows x labels that are judged, at most: 20,000 titles of 500 labels took 206 s, 33,590 of ten labels 13 s."""

SCHEMA = {
    "id": pl.String,
    "split": pl.String,
    "text": pl.String,
    "given": pl.String,
    "suggested": pl.String,
    "confidence": pl.Float64,
    "self_confidence": pl.Float64,
    "rank": pl.Int64,
    "flagged": pl.Boolean,
    "action": pl.String,
}
DIGITS = 6  # the last bits depend on the machine


@dataclass(frozen=True)
class Suspects:
    """What was found: the listed rows (columns of ``SCHEMA``, most suspect first) and what is told of the search."""

    rows: pl.DataFrame
    told: dict[str, Any]


def find_suspects(
    tables: Mapping[str, pl.DataFrame],
    options: Auditing,
    settled: Collection[str] = frozenset(),
    totals: Mapping[str, int] | None = None,
) -> Suspects:
    """Find rows whose label is probably wrong.

    Args:
        tables: split to rows with ``id``, ``text``, ``label`` and, where it is known, ``cluster``. ``train`` is needed;
            of a corpus without splits it holds all rows.
        options: how many rows are looked at and listed, and what happens to flagged train rows.
        settled: ids of rows about which a person has decided: they are learnt from as they are, and never listed.
        totals: rows of each split in all, where ``tables`` is a sample already.

    Returns:
        The listed rows: all flagged ones and a few more, by the probability of their own label, the lowest first. The
        order of the rows in ``tables`` changes nothing.
    """
    most = rows_looked_at(tables["train"]["label"].n_unique(), options.max_rows)
    looked = {split: _sample(table, most) for split, table in tables.items()}
    labels, unjudged = _judged_labels(looked["train"])
    told = {
        "rows": dict(totals or {split: table.height for split, table in tables.items()}),
        "looked_at": {split: table.height for split, table in looked.items()},
        "unjudged_labels": unjudged,
    }
    if len(labels) < 2:
        reason = f"fewer than two labels have {FEWEST} different texts in train: nothing can be compared"
        return Suspects(
            pl.DataFrame(schema=SCHEMA), told | _summary([], settled, labels) | {"changed": 0, "reason": reason}
        )
    judged = _judge({split: _of_labels(table, labels) for split, table in looked.items()}, labels, options.folds)
    listed = _listed(judged, settled, options.extra).with_columns(_actions(judged[0], settled, options.wrong_labels))
    told |= _summary(judged, settled, labels)
    return Suspects(
        listed.select(list(SCHEMA)), told | {"changed": int((listed["action"] != "none").sum()), "reason": None}
    )


def rows_looked_at(labels: int, most: int) -> int:
    """How many rows of a split are looked at: ``most``, fewer where labels are many."""
    return min(most, CELLS // max(labels, 1))


def _sample(table: pl.DataFrame, most: int) -> pl.DataFrame:
    """The rows in the order of their ids, at most so many: an id is a hash, so these are a random sample."""
    return table.sort("id").head(most)


def _judged_labels(train: pl.DataFrame) -> tuple[list[str], dict[str, int]]:
    """The labels with enough different texts, and the rows of those without."""
    counted = train.with_columns(grouped(train)).group_by("label").agg(pl.len(), pl.col("group").n_unique())
    enough = pl.col("group") >= FEWEST
    few = counted.filter(~enough).sort("label")
    return sorted(counted.filter(enough)["label"].to_list()), dict(few.select("label", "len").iter_rows())


def _of_labels(table: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    return table.filter(pl.col("label").is_in(labels))


def _judge(tables: Mapping[str, pl.DataFrame], labels: list[str], folds: int) -> list[pl.DataFrame]:
    """Each split's rows with what is thought of their labels, train first."""
    names = ["train", *(split for split in tables if split != "train")]
    classes = [_classes(tables[split]["label"], labels) for split in names]
    counts = count([text for split in names for text in tables[split]["text"].to_list()])
    ends = np.cumsum([0, *(len(part) for part in classes)])
    train = counts[: ends[1]]
    probabilities = [out_of_fold(train, classes[0], assign(grouped(tables["train"]), classes[0], folds), len(labels))]
    others = unseen(train, classes[0], counts[ends[1] :], len(labels)) if ends[-1] > ends[1] else probabilities[0][:0]
    probabilities += np.split(others, ends[2:-1] - ends[1])
    parts = zip(names, classes, probabilities, strict=False)
    return [_thoughts(tables[split], split, given, found, labels) for split, given, found in parts]


def _classes(given: pl.Series, labels: list[str]) -> Classes:
    numbers = {label: number for number, label in enumerate(labels)}
    return np.array([numbers[label] for label in given.to_list()], dtype=np.int32)


def _thoughts(
    table: pl.DataFrame, split: str, classes: Classes, probabilities: Probabilities, labels: list[str]
) -> pl.DataFrame:
    judged = judge(classes, probabilities)
    return table.select("id", pl.lit(split).alias("split"), "text", pl.col("label").alias("given")).with_columns(
        pl.Series("suggested", [labels[number] for number in judged.suggested], pl.String),
        pl.Series("confidence", judged.confidence.round(DIGITS), pl.Float64),
        pl.Series("self_confidence", judged.own.round(DIGITS), pl.Float64),
        pl.Series("flagged", judged.flagged & (judged.suggested != classes), pl.Boolean),
    )


def _listed(judged: list[pl.DataFrame], settled: Collection[str], extra: int) -> pl.DataFrame:
    """The flagged rows and a few more, ranked."""
    open_rows = pl.concat(judged).filter(~pl.col("id").is_in(list(settled)), pl.col("suggested") != pl.col("given"))
    ranked = open_rows.sort("self_confidence", "id", "split")
    others = (~pl.col("flagged")).cum_sum()
    kept = ranked.filter(pl.col("flagged") | (others <= extra))
    return kept.with_columns(pl.int_range(1, kept.height + 1, dtype=pl.Int64).alias("rank"))


def _actions(train: pl.DataFrame, settled: Collection[str], policy: Policy) -> pl.Expr:
    """What is done to each listed row: never anything to validation and test, nor to the last rows of a label."""
    nothing = pl.lit("none").alias("action")
    if policy == "report":
        return nothing
    taken = pl.col("flagged") & ~pl.col("id").is_in(list(settled))
    left = train.group_by("given").agg((~taken).sum().alias("left")).filter(pl.col("left") >= FEWEST)
    meant = pl.col("flagged") & (pl.col("split") == "train") & pl.col("given").is_in(left["given"].to_list())
    return pl.when(meant).then(pl.lit(policy)).otherwise(nothing).alias("action")


def _summary(judged: list[pl.DataFrame], settled: Collection[str], labels: list[str]) -> dict[str, Any]:
    """Rows flagged in each split, which labels they bear and should bear in train, and how often the model agrees."""
    flagged = {table["split"][0]: _flagged(table, settled) for table in judged if table.height}
    pairs = flagged.get("train", pl.DataFrame(schema=SCHEMA)).group_by("given", "suggested").len()
    return {
        "flagged": {split: table.height for split, table in flagged.items()},
        "settled": sum(int(table["id"].is_in(list(settled)).sum()) for table in judged),
        "out_of_fold_accuracy": _agreement(judged[0]) if judged else None,
        "train_pairs": {
            label: dict(pairs.filter(pl.col("given") == label).sort("suggested").select("suggested", "len").iter_rows())
            for label in labels
        },
    }


def _flagged(table: pl.DataFrame, settled: Collection[str]) -> pl.DataFrame:
    return table.filter("flagged", ~pl.col("id").is_in(list(settled)))


def _agreement(table: pl.DataFrame) -> float:
    return round(float((table["given"] == table["suggested"]).to_numpy().mean()), DIGITS)
