"""What follows from the figures of several candidates: the winner, flat names for tracking, words for the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wenhuo.errors import DataError
from wenhuo.metrics.classification import FIGURES

CHOSEN_BY = "the highest macro_f1 on validation; of equals the one that params.yaml names first"


def choose(validation: Mapping[str, Mapping[str, Any]]) -> str:
    """The candidate with the highest macro-F1; of equals the first.

    Args:
        validation: candidate to its measure on validation, and on nothing else.

    Raises:
        DataError: no candidate has a figure.
    """
    scores = {name: measure["macro_f1"] for name, measure in validation.items() if measure["macro_f1"] is not None}
    if not scores:
        raise DataError("validation has no rows to choose a winner by", "raise split.validation, or bring such rows")
    return max(scores, key=lambda name: scores[name])


def flat_figures(splits: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The figures by names such as ``test/macro_f1``; their intervals are in the pictures and in ``metrics.json``.

    Those on validation are called ``validation_final/…``: training logs ``validation/macro_f1`` after every epoch, and
    the last epoch's is not the model's when an earlier one was kept.

    Args:
        splits: split to its measure. Undefined figures are left out.
    """
    flat: dict[str, float] = {}
    for name_of_split, measure in splits.items():
        split = "validation_final" if name_of_split == "validation" else name_of_split
        flat |= {f"{split}/{name}": measure[name] for name in FIGURES if measure[name] is not None}
    return flat


def spoken(measure: Mapping[str, Any], name: str) -> str:
    """A figure for people, e.g. ``0.912 [0.901, 0.923]``; ``-`` when it is undefined."""
    if measure[name] is None:
        return "-"
    interval = measure["intervals"].get(name)
    return f"{measure[name]:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")
