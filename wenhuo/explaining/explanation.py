"""What an explanation is: how much each character of a text speaks for a label, and words made of characters.

What is explained is the log-odds of a label, ln(p / (1 - p)), of which 0 is undecided. A text's characters add up to
what they change it by: from what the model says of no text at all to what it says of this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wenhuo.models.classifier import abstains
from wenhuo.text.segmentation import segment

Floats = NDArray[np.float64]
TOLERANCE = 0.01  # of the change, and of the log-odds where the change is small: a hundredth that nobody sees


@dataclass(frozen=True)
class Attribution:
    """How much each character speaks for a label.

    Attributes:
        label: the label's position.
        probabilities: of every class, shape (classes,).
        log_odds: of the label, for this text.
        without: the same for no text.
        characters: what each character adds, shape (length of the text,).
        read: whether the model sees a character at all: not what lies beyond its longest row, shape as above.
        method: how that was found, a few words.
    """

    label: int
    probabilities: Floats
    log_odds: float
    without: float
    characters: Floats
    read: NDArray[np.bool_]
    method: str

    @property
    def gap(self) -> float:
        """What the characters fail to account for; 0 but for rounding, and for the steps of an integral."""
        return self.log_odds - self.without - float(self.characters.sum())

    @property
    def complete(self) -> bool:
        """Whether the characters account for the change (the axiom of completeness, Sundararajan et al. 2017)."""
        return abs(self.gap) <= TOLERANCE * max(1.0, abs(self.log_odds - self.without))


@dataclass(frozen=True)
class Mix:
    """What each character adds to a sum of a model's log-probabilities, shape (length of the text,).

    ``read`` and ``method`` are as in :class:`Attribution`.
    """

    characters: Floats
    read: NDArray[np.bool_]
    method: str


class Opened(Protocol):
    """A model whose inside can be looked at."""

    @property
    def kind(self) -> str:
        """What likeness is measured in, a few words."""

    @property
    def rows_at_once(self) -> int:
        """Texts of which :meth:`vectors` is to be asked at once."""

    @property
    def looks_at(self) -> int:
        """Train rows that are compared with a text unless somebody says how many."""

    def attribute(self, text: str, label: int | None) -> Attribution:
        """How much each character of a cleaned text speaks for a label; None: for the likeliest one."""

    def vectors(self, texts: Sequence[str]) -> Any:
        """What cleaned texts are to the model, rows of length 1, shape (n, width), dense or sparse."""


class OpenedMember(Opened, Protocol):
    """A model that a blend may be made of."""

    def ends(self, text: str) -> tuple[Floats, Floats]:
        """The log-probability of every class but for a constant, of a cleaned text and of no text; shape (classes,)."""

    def attribute_mix(self, text: str, shares: Floats) -> Mix:
        """How much each character adds to a sum of the log-probabilities of the classes.

        Args:
            text: cleaned.
            shares: of each class in the sum, shape (classes,); they sum to 0.
        """


@dataclass(frozen=True)
class Neighbour:
    """A train row like the text: its cosine, its label, and what the audit says of that label.

    Attributes:
        suggested: the label that the audit would give it; None where it is not listed among the suspects.
        flagged: whether its label is taken to be wrong, and not only in doubt.
        action: what training made of it: none, drop or relabel.
    """

    id: str
    text: str
    label: str
    similarity: float
    suggested: str | None = None
    flagged: bool = False
    action: str = "none"


@dataclass(frozen=True)
class Neighbours:
    """The nearest train rows, the nearest first; of how many rows; how many there are; in what they are alike."""

    rows: list[Neighbour]
    looked_at: int
    total: int
    kind: str


@dataclass(frozen=True)
class Word:
    """A stretch of the text and what its characters add together."""

    text: str
    start: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """An explained decision.

    Attributes:
        model: its name, as it was asked for.
        given: the text as it was given.
        text: the text as the model reads it, cleaned.
        labels: the names of the classes.
        found: see :class:`Attribution`; its characters are those of ``text``.
        neighbours: None where there are no train rows to look at.
        notes: what a reader must know beside, a sentence each.
        abstain_below: the probability below which the model gives no label; None: it always gives one.
    """

    model: str
    given: str
    text: str
    labels: list[str]
    found: Attribution
    neighbours: Neighbours | None = None
    notes: list[str] = field(default_factory=list)
    abstain_below: float | None = None

    @property
    def label(self) -> str:
        """The label that is explained."""
        return self.labels[self.found.label]

    @property
    def best(self) -> str:
        """The most probable label, also where the model abstains."""
        return self.labels[int(self.found.probabilities.argmax())]

    @property
    def predicted(self) -> str | None:
        """The label that the model gives; None where it abstains."""
        return None if abstains(self.found.probabilities, self.abstain_below) else self.best

    def words(self) -> list[Word]:
        """The text's words in order, each with the weight of its characters; spaces and what is not read left out."""
        return words(self.text, self.found.characters, self.found.read)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        found = self.found
        return {
            "model": self.model,
            "given": self.given,
            "text": self.text,
            "label": self.label,
            "predicted": self.predicted,
            "best": self.best,
            "probabilities": dict(zip(self.labels, found.probabilities.tolist(), strict=True)),
            "log_odds": {"text": found.log_odds, "no_text": found.without, "gap": found.gap},
            "method": found.method,
            "complete": found.complete,
            "characters": found.characters.tolist(),
            "read": found.read.tolist(),
            "words": [vars(word) for word in self.words()],
            "neighbours": None
            if self.neighbours is None
            else {**vars(self.neighbours), "rows": [vars(row) for row in self.neighbours.rows]},
            "notes": self.notes,
        }


def words(text: str, characters: Floats, read: NDArray[np.bool_]) -> list[Word]:
    """The words of a text, each with the sum of its characters' weights.

    Args:
        text: n characters.
        characters: their weights, shape (n,).
        read: those that count, shape (n,).
    """
    found, start = [], 0
    for piece in segment(text):
        end = start + len(piece)
        if piece.strip() and read[start:end].any():
            found.append(Word(piece, start, float(characters[start:end].sum())))
        start = end
    return found


def strongest(found: Sequence[Word], most: int) -> list[Word]:
    """Words by what they add, the strongest first; each spelling once, with the sum of its places."""
    sums: dict[str, Word] = {}
    for word in found:
        known = sums.get(word.text)
        sums[word.text] = word if known is None else Word(word.text, known.start, known.weight + word.weight)
    return sorted((word for word in sums.values() if word.weight), key=lambda w: (-abs(w.weight), w.start))[:most]
