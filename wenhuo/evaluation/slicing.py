"""A candidate's accuracy and macro-F1 on parts of test: by length, source, domain, leak, and what its encoder cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wenhuo.evaluation.answers import Part
from wenhuo.metrics.brief import accuracy_and_macro_f1, share_interval
from wenhuo.metrics.slices import Slice, cut

Mask = NDArray[np.bool_]


def cuts(part: Part) -> list[Slice]:
    """The parts that the rows of a split fall into, whoever classifies them."""
    named = {name: pl.Series(values, dtype=pl.String) for name, values in part.named.items()}
    return cut(pl.DataFrame({"text": pl.Series(part.texts, dtype=pl.String), "leaked": part.leaked, **named}))


def cut_by_encoder(unseen: Mapping[str, Mask]) -> list[Slice]:
    """Texts that a candidate's encoder cuts, and those that it reads whole; nothing where it cuts none."""
    short = unseen.get("cut")
    if short is None or not short.any():
        return []
    parts = {"texts cut by the encoder": short, "texts read whole": ~short}
    return [Slice("truncation", name, mask) for name, mask in parts.items() if mask.any()]


def sliced(
    part: Part, said: NDArray[np.int64], found: Sequence[Slice], classes: int, *, intervals: bool
) -> list[dict[str, Any]]:
    """The figures of one candidate on each part.

    Args:
        part: the rows.
        said: the classes that it predicts, shape (n,).
        found: parts with at least one row.
        classes: how many labels there are.
        intervals: whether to give each accuracy a 95 % interval (Wilson's).
    """
    lines = []
    for one in found:
        truth, guesses = part.truth[one.mask], said[one.mask]
        accuracy, macro_f1 = accuracy_and_macro_f1(truth, guesses, classes)
        between = share_interval(int((truth == guesses).sum()), len(truth)) if intervals else None
        figures = {"accuracy": accuracy, "interval": between, "macro_f1": macro_f1}
        lines.append({"by": one.by, "slice": one.name, "rows": len(truth), **figures})
    return lines
