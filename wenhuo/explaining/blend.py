"""Why a blend decides: what its members' characters add, in the shares in which the blend listens to them.

A blend's score of a class is the weighted sum of its members' log-probabilities, and its log-odds are a function of
these scores alone. On the straight way from the scores of no text to those of the text each score has a mean slope, a
share; scores times shares add up to what the log-odds change by (integrated gradients, Sundararajan, Taly and Yan, ICML
2017, on the scores). Each member then says what each character adds to the sum of its own log-probabilities in these
shares, by the method of its kind. So the characters account for the log-odds of the blend itself, of any number of
classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from wenhuo.explaining.explanation import Attribution, Floats, OpenedMember
from wenhuo.models.folder import Card, member_cards

POINTS = 64  # of the integral; as many as for a linear model


@dataclass(frozen=True)
class OpenedBlend:
    """A blend: its opened members by name, their weights, and the one by which rows are alike: a network, if any."""

    members: dict[str, OpenedMember]
    weights: list[float]
    likeness: str

    @classmethod
    def load(cls, folder: Path, card: Card, open_member: Callable[[Path, Card], OpenedMember]) -> OpenedBlend:
        """The model in a folder.

        Args:
            folder: the blend's.
            card: what it says of itself.
            open_member: opens one of its members.

        Raises:
            ModelError: a member is damaged, or cannot be explained.
        """
        cards = member_cards(folder, card)
        members = {place.name: open_member(place, member) for place, member in cards.items()}
        networks = [place.name for place, member in cards.items() if member.kind == "transformer"]
        return cls(members, list((card.members or {}).values()), next(iter([*networks, *members])))

    @property
    def kind(self) -> str:
        """Of the member by which rows are alike."""
        return f"{self.members[self.likeness].kind}: its member {self.likeness}"

    @property
    def rows_at_once(self) -> int:
        """Of the same member."""
        return self.members[self.likeness].rows_at_once

    @property
    def looks_at(self) -> int:
        """Of the same member."""
        return self.members[self.likeness].looks_at

    def vectors(self, texts: Sequence[str]) -> Any:
        """What texts are to the same member."""
        return self.members[self.likeness].vectors(texts)

    def attribute(self, text: str, label: int | None) -> Attribution:
        """What each character adds to the log-odds of a label."""
        ends = [member.ends(text) for member in self.members.values()]
        reached, begun = (np.tensordot(self.weights, np.stack(side), axes=1) for side in zip(*ends, strict=True))
        chosen = int(reached.argmax()) if label is None else label
        shares = shares_of(begun, reached, chosen)
        found = [member.attribute_mix(text, shares) for member in self.members.values()]
        characters = sum(weight * mix.characters for weight, mix in zip(self.weights, found, strict=True))
        read = np.any([mix.read for mix in found], axis=0)
        told = zip(self.weights, self.members, found, strict=True)
        method = "; ".join(f"{weight:.2f} × {name}: {mix.method}" for weight, name, mix in told)
        odds, without = (_log_odds(scores, chosen) for scores in (reached, begun))
        return Attribution(chosen, np.asarray(softmax(reached)), odds, without, np.asarray(characters), read, method)


def shares_of(begun: Floats, reached: Floats, label: int) -> Floats:
    """The mean slope of a label's log-odds in each score, from some scores straight to others.

    Args:
        begun: scores of no text, shape (classes,).
        reached: of the text, shape as above.
        label: whose log-odds.

    Returns:
        Shape (classes,); they sum to 0, so that a constant in all scores changes nothing. The label's is 1.
    """
    rest = np.arange(len(begun)) != label
    places, shares = np.polynomial.legendre.leggauss(POINTS)
    scores = begun[rest] + (places[:, None] + 1) / 2 * (reached - begun)[rest]
    found = np.ones(len(begun))
    found[rest] = -(shares / 2 @ softmax(scores, axis=1))
    return found


def _log_odds(scores: Floats, label: int) -> float:
    return float(scores[label] - logsumexp(np.delete(scores, label)))
