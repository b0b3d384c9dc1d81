"""Parts of the test set in which a challenger must not fall: by length, by source, and the rows that do not leak."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST_SOURCES = 20


def slices(rows: pl.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Name to mask, shape (n,).

    Args:
        rows: columns ``text``, and ``source`` and ``leaked`` where there are such.
    """
    found = _by_length(rows["text"].str.len_chars().to_numpy())
    if "source" in rows.columns:
        found |= _by_source(rows["source"].cast(pl.String).fill_null("?"))
    if "leaked" in rows.columns and rows["leaked"].any():
        found["rows that do not stand in train"] = ~rows["leaked"].to_numpy().astype(np.bool_)
    return found


def _by_length(lengths: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Thirds by number of characters; fewer where many are of one length."""
    if not len(lengths):
        return {}
    one, two = (int(end) for end in np.quantile(lengths, [1 / 3, 2 / 3], method="lower"))
    parts = {
        f"texts of up to {one} characters": lengths <= one,
        f"texts of {one + 1} to {two} characters": (lengths > one) & (lengths <= two),
        f"texts of more than {two} characters": lengths > two,
    }
    return {name: mask for name, mask in parts.items() if mask.any()}


def _by_source(sources: pl.Series) -> dict[str, NDArray[np.bool_]]:
    """The largest sources, where there are several."""
    counted = sources.alias("source").value_counts().sort(["count", "source"], descending=[True, False])
    if len(counted) < 2:
        return {}
    return {f"source {name}": (sources == name).to_numpy() for name in counted["source"].head(MOST_SOURCES)}
