"""What the page of candidates is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wenhuo.evaluation.answers import Answers, Part
from wenhuo.training.history import Point
from wenhuo.training.options import LinearCandidate, TransformerCandidate


@dataclass(frozen=True)
class Shown:
    """A candidate as the page shows it.

    Attributes:
        options: its entry in ``params.yaml``.
        answers: what it says about each split.
        history: the course of its training.
        before: id to what it said of that validation row before its first step; see :mod:`wenhuo.training.before`.
    """

    options: LinearCandidate | TransformerCandidate
    answers: Answers
    history: list[Point] = field(default_factory=list)
    before: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def guesses(self, split: str) -> NDArray[np.int64]:
        """The class that it gives to each row of a split, shape (n,)."""
        return np.asarray(self.answers.by_split[split].argmax(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Material:
    """Everything that the page shows.

    Attributes:
        summary: what ``metrics.json`` holds.
        parts: the splits.
        candidates: by name, in the order to show them in.
    """

    summary: Mapping[str, Any]
    parts: Mapping[str, Part]
    candidates: Mapping[str, Shown]

    @property
    def labels(self) -> list[str]:
        """The names of the classes."""
        return list(self.summary["labels"])
