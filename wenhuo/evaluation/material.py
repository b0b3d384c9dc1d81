"""What the page of candidates is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wenhuo.blending.options import Blend
from wenhuo.evaluation.answers import Answers, Part
from wenhuo.training.history import Point
from wenhuo.training.options import LinearCandidate, TransformerCandidate

Options = LinearCandidate | TransformerCandidate | Blend
"""What may be chosen about a candidate; the entries of ``train.candidates`` and ``blend.candidates``."""


@dataclass(frozen=True)
class Shown:
    """A candidate as the page shows it.

    Attributes:
        options: its entry in ``params.yaml``.
        answers: what it says about each split.
        history: the course of its training.
        before: id to what it said of that validation row before its first step; see :mod:`wenhuo.training.before`.
    """

    options: Options
    answers: Answers
    history: list[Point] = field(default_factory=list)
    before: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def chosen(self, seed: int) -> dict[str, Any]:
        """All that was chosen about it, as the stage that made it says in its run.

        Args:
            seed: of the trainings.
        """
        from wenhuo.blending.making import parameters as of_blend
        from wenhuo.training.candidate import parameters

        card = self.answers.card
        if isinstance(self.options, Blend):
            return of_blend(self.options, card.members or {})
        return parameters(self.options, seed, {"options": card.encoder and card.encoder.model_dump()})

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
