"""What the temperature of each candidate changed, and how often it is right when it answers only what it is sure of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wenhuo.evaluation.answers import MEASURED, Answers, Part
from wenhuo.metrics.calibration import answered, coverage_curve
from wenhuo.metrics.classification import DIGITS, point_figures
from wenhuo.models.temperature import tempered

UNTEMPERED = ("log_loss", "calibration_error")


def calibration(answers: Mapping[str, Answers], parts: Mapping[str, Part], labels: list[str]) -> dict[str, Any]:
    """What ``metrics.json`` says of temperatures and thresholds; both were fitted on validation before this.

    Args:
        answers: candidate to its answers.
        parts: the splits.
        labels: the classes' names.

    Returns:
        Candidate to ``temperature``, ``abstain_below`` and ``abstain_for`` (see :class:`wenhuo.models.folder.Card`); of
        a blend ``weights``, whose sum is its inverse temperature; for each split ``coverage_curve``, ``untempered``,
        some figures as they would be at temperature 1, and where there is a threshold ``answered``.
    """
    return {
        name: {
            "temperature": one.card.temperature,
            **({} if one.card.members is None else {"weights": one.card.members}),
            "abstain_below": one.card.abstain_below,
            "abstain_for": one.card.abstain_for,
            **{split: _split(one, parts[split].truth, split, labels) for split in MEASURED},
        }
        for name, one in answers.items()
    }


def _split(one: Answers, truth: NDArray[np.int64], split: str, labels: list[str]) -> dict[str, Any]:
    said, below = one.by_split[split], one.card.abstain_below
    curve = [_rounded(point) for point in coverage_curve(truth, said)]
    found = {"coverage_curve": curve, "untempered": _untempered(truth, said, one.card.temperature, labels)}
    return found if below is None else found | {"answered": _rounded(answered(truth, said, below))}


def _untempered(
    truth: NDArray[np.int64], said: NDArray[np.float64], temperature: float, labels: list[str]
) -> dict[str, float | None]:
    """Figures at temperature 1, to which the answers are brought back."""
    if not len(truth):
        return dict.fromkeys(UNTEMPERED)
    figures = point_figures(truth, tempered(said, 1 / temperature), labels)
    return _rounded({name: figures[name] for name in UNTEMPERED})


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in values.items()}
