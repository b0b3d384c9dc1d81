"""Parts of a split that are looked at by themselves: by length, by source, by domain, and by whether they leak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST_NAMED = 20  # of sources, of domains: the largest ones

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """A part of a split: what it is cut by, what it is called, and which rows are in it, shape (n,)."""

    by: str
    name: str
    mask: Mask


def slices(rows: pl.DataFrame) -> dict[str, Mask]:
    """Name to mask, shape (n,): the parts in which a challenger must not fall.

    Args:
        rows: columns ``text``, and ``source``, ``domain`` and ``leaked`` where there are such.
    """
    return {one.name: one.mask for one in cut(rows) if one.name != LEAKED}


def cut(rows: pl.DataFrame) -> list[Slice]:
    """All parts that the rows fall into; a cut that would leave them whole is not made.

    Args:
        rows: as for :func:`slices`.
    """
    found = _by_length(rows["text"].str.len_chars().to_numpy())
    for column in ("source", "domain"):
        if column in rows.columns:
            found += _by_name(column, rows[column].cast(pl.String).fill_null("?"))
    if "leaked" in rows.columns and rows["leaked"].any():
        leaked = rows["leaked"].to_numpy().astype(np.bool_)
        found += [one for one in (Slice("leak", CLEAN, ~leaked), Slice("leak", LEAKED, leaked)) if one.mask.any()]
    return found


CLEAN, LEAKED = "rows that do not stand in train", "rows that stand in train"


def _by_length(lengths: NDArray[np.int64]) -> list[Slice]:
    """Thirds by number of characters; fewer where many are of one length."""
    if not len(lengths):
        return []
    one, two = (int(end) for end in np.quantile(lengths, [1 / 3, 2 / 3], method="lower"))
    parts = {
        f"texts of up to {one} characters": lengths <= one,
        f"texts of {one + 1} to {two} characters": (lengths > one) & (lengths <= two),
        f"texts of more than {two} characters": lengths > two,
    }
    return [Slice("length", name, mask) for name, mask in parts.items() if mask.any()]


def _by_name(by: str, names: pl.Series) -> list[Slice]:
    """The largest sources or domains, where there are several."""
    counted = names.alias("name").value_counts().sort(["count", "name"], descending=[True, False])
    if len(counted) < 2:
        return []
    return [Slice(by, f"{by} {name}", (names == name).to_numpy()) for name in counted["name"].head(MOST_NAMED)]
