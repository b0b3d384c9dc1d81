"""The figures around the verdicts: rows by split and label, lengths, and what stands in more than one split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from wenhuo.quality.duplicates import UNDIVIDED, overlaps
from wenhuo.quality.measures import SPLITS
from wenhuo.quality.verdicts import Verdict

LABELS_SHOWN = 40  # a table of more is read by nobody; the rest is summed up
LABEL_CHARACTERS = 60  # of a name; a longer one is cut
QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}


def summarise(
    table: pl.DataFrame, verdicts: Sequence[Verdict], *, about: Mapping[str, Any], max_labels: int
) -> dict[str, Any]:
    """All that the reports say, in values that JSON holds; the same table gives the same bytes.

    Args:
        table: as :func:`wenhuo.quality.measures.measure` gives it.
        verdicts: one for each expectation.
        about: ``source`` and ``synthetic`` of the corpus.
        max_labels: with more labels than this their names are withheld: they may well be texts.
    """
    failed = [verdict.level for verdict in verdicts if not verdict.success]
    named = table.with_columns(pl.col("split").fill_null(UNDIVIDED))
    splits = [name for name in (*SPLITS, UNDIVIDED) if (named["split"] == name).any()]
    return {
        "success": "error" not in failed,
        "errors": failed.count("error"),
        "warnings": failed.count("warning"),
        "source": about.get("source"),
        "synthetic": bool(about.get("synthetic")),
        "rows": {"all": table.height} | {name: int((named["split"] == name).sum()) for name in splits},
        "labels": _labels(named, splits, max_labels),
        "lengths": _lengths(named, splits),
        "overlaps": asdict(overlaps(table)),
        "expectations": [asdict(verdict) for verdict in verdicts],
    }


def _labels(table: pl.DataFrame, splits: Sequence[str], max_labels: int) -> dict[str, Any]:
    """Rows of each label in each split, the commonest labels first."""
    counted = (pl.col("split") == pl.lit(name) for name in splits)
    sums = [column.sum().alias(name) for column, name in zip(counted, splits, strict=True)]
    counts = (
        table.filter(pl.col("label").is_not_null())
        .group_by("label")
        .agg(pl.len().alias("all"), *sums)
        .sort(["all", "label"], descending=[True, False])
    )
    withheld = counts.height > max_labels
    shown = counts.head(0 if withheld else LABELS_SHOWN).with_columns(_cut(pl.col("label")))
    rest = counts.slice(shown.height)
    return {
        "number": counts.height,
        "names_withheld": withheld,
        "rows": shown.to_dicts(),
        "others": {"number": rest.height, "rows": int(rest["all"].sum())},
    }


def _cut(name: pl.Expr) -> pl.Expr:
    long = name.str.len_chars() > LABEL_CHARACTERS
    return pl.when(long).then(name.str.slice(0, LABEL_CHARACTERS) + "…").otherwise(name)


def _lengths(table: pl.DataFrame, splits: Sequence[str]) -> dict[str, Any]:
    """How long the texts of each split are, in characters: quantiles, and counts in bins of growing width."""
    characters = {name: table.filter(pl.col("split") == name)["characters"].to_numpy() for name in splits}
    edges = _edges(max((int(values.max()) for values in characters.values()), default=0))
    return {
        "edges": edges,
        "splits": {
            name: {"rows_by_bin": np.histogram(values, edges)[0].tolist()}
            | {key: int(np.quantile(values, q, method="lower")) for key, q in QUANTILES.items()}
            for name, values in characters.items()
        },
    }


def _edges(longest: int) -> list[int]:
    """0, 1, 2, 3, 4, 6, 8, 11, 16 …, past the longest: lengths spread over powers of ten, so bins widen by √2."""
    steps = 2 * max(longest, 1).bit_length() + 1
    return sorted({0} | {round(2 ** (step / 2)) for step in range(steps)})
