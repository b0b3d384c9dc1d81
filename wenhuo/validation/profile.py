"""What a data version is like, in a few kilobytes: enough to say how the next one differs, and none of its texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wenhuo.files import sha256
from wenhuo.validation.measures import Measures
from wenhuo.validation.versions import Version, encode_alphabet

FINEST = 8  # bins to a doubling of the length: up to 12 characters each length has its own, then they widen by 9%
NO_SOURCE = ""


def profile(corpus: Path, measures: Measures, summary: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a :class:`wenhuo.validation.versions.Version`; the same corpus gives the same ones.

    Args:
        corpus: the corpus file.
        measures: of it.
        summary: as :func:`wenhuo.validation.summary.summarise` gives it.
    """
    rows = measures.rows
    labels = None if summary["labels"]["names_withheld"] else _counts(measures.labels.select("label", "rows"))
    values = Version(
        corpus=sha256(corpus),
        source=summary["source"],
        rows=summary["rows"],
        sources=_counts(rows.group_by("source").agg(pl.len().alias("rows"))),
        labels=labels,
        lengths=_lengths(rows["characters"]),
        quantiles=summary["lengths"]["all"],
        characters=int(measures.characters.sum()),
        alphabet=encode_alphabet(np.flatnonzero(measures.characters)),
    )
    return values.model_dump(exclude={"when"})


def _counts(table: pl.DataFrame) -> dict[str, int]:
    """Names to rows, in the order of the names."""
    named = table.select(pl.first().cast(pl.String).fill_null(NO_SOURCE).alias("name"), "rows")
    return dict(named.sort("name").iter_rows())


def _lengths(characters: pl.Series) -> dict[str, int]:
    """Rows by length, in bins that are the same whatever the corpus, so that two versions can be compared."""
    counts = np.bincount(characters.to_numpy()) if characters.len() else np.zeros(1, dtype=np.int64)
    edges = bin_edges(len(counts))
    sums = np.add.reduceat(counts, [edge for edge in edges if edge < len(counts)])
    return {str(edge): int(rows) for edge, rows in zip(edges, sums, strict=False) if rows}


def bin_edges(longest: int) -> list[int]:
    """0, 1, 2, … and then wider and wider, past the longest."""
    steps = FINEST * max(longest, 1).bit_length() + 1
    return sorted({0} | {round(2 ** (step / FINEST)) for step in range(steps)})
