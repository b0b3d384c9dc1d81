"""Pairs of sentences out of rows: next-sentence (Devlin et al. 2019) and sentence-order prediction (Lan et al. 2020).

A row is cut at the end of a sentence, or of a part of one, that is nearest to its middle. ``order`` swaps the two parts
in half of the rows; ``next`` takes the second part from another row in half. A row without such an end is no pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from wenhuo.pretraining.masking import uniform
from wenhuo.pretraining.store import Integers, Rows

NO_PAIR = -100
"""The label of a row that is no pair; torch's cross-entropy passes it over."""

COUNTER = 3
"""Tells these draws from those of masking."""


class Flat(NamedTuple):
    """Rows one after the other: ids, word beginnings, whether a token is of the second part, lengths, labels."""

    ids: Integers
    begins: npt.NDArray[np.bool_]
    second: npt.NDArray[np.bool_]
    lengths: Integers
    labels: Integers


@dataclass(frozen=True)
class Pairs:
    """What pairs are made of: the rows, the marks (strong ones, weak ones) that parts end with, the kind, the seed."""

    rows: Rows
    ends: tuple[Integers, Integers]
    kind: Literal["none", "next", "order"]
    seed: int

    def take(self, rows: Integers, counter: int, numbers: Integers) -> Flat:
        """Some rows as pairs.

        Args:
            rows: which.
            counter: the pass over the text.
            numbers: of the rows among those of a pass.
        """
        ids, begins, lengths = self.rows.take(rows)
        if self.kind == "none":
            return Flat(ids, begins, np.zeros(len(ids), np.bool_), lengths, np.full(len(rows), NO_PAIR))
        coin = uniform(self.seed, counter, numbers, COUNTER)
        other = uniform(self.seed, counter, numbers, COUNTER + 1)
        bounds = np.cumsum([0, *lengths])
        made = [
            self._pair(ids[a:b], begins[a:b], swap < 0.5, pick)
            for a, b, swap, pick in zip(bounds[:-1], bounds[1:], coin, other, strict=True)
        ]
        joined = [np.concatenate(part) for part in zip(*(one[:3] for one in made), strict=True)]
        sizes = np.array([len(one[0]) for one in made], dtype=np.int64)
        return Flat(joined[0], joined[1], joined[2], sizes, np.array([one[3] for one in made], dtype=np.int64))

    def _pair(
        self, ids: Integers, begins: npt.NDArray[np.bool_], changed: bool, pick: float
    ) -> tuple[Integers, npt.NDArray[np.bool_], npt.NDArray[np.bool_], int]:
        cut = self._cut(ids)
        if cut is None:
            return ids, begins, np.zeros(len(ids), np.bool_), NO_PAIR
        parts = [(ids[:cut], begins[:cut]), (ids[cut:], begins[cut:])]
        if changed and self.kind == "order":
            parts.reverse()
        elif changed:
            parts[1] = self._foreign(pick, len(ids) - cut)
        second = np.repeat([False, True], [len(part[0]) for part in parts])
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), second, int(changed)

    def _cut(self, ids: Integers) -> int | None:
        """Where a row is cut: behind the mark nearest to its middle, with something on both sides."""
        for marks in self.ends:
            places = np.flatnonzero(np.isin(ids[:-1], marks)) + 1
            if len(places):
                return int(places[np.abs(places - len(ids) / 2).argmin()])
        return None

    def _foreign(self, pick: float, longest: int) -> tuple[Integers, npt.NDArray[np.bool_]]:
        """The second part of any row, cut to a length; of a row without parts its end."""
        ids, begins, _ = self.rows.take(np.array([int(pick * len(self.rows.lengths))]))
        cut = self._cut(ids)
        start = cut if cut is not None else max(0, len(ids) - longest)
        return ids[start : start + longest], begins[start : start + longest]
