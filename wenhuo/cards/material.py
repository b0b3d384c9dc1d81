"""What a card is made of: one frozen record of everything that is known of a version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wenhuo.cards.options import CardWords
from wenhuo.cards.texts import Texts
from wenhuo.evaluation.material import Material
from wenhuo.gate.decisions import Decision
from wenhuo.models.folder import Card

Curve = tuple[str, list[tuple[float, float]]]
"""A label and the points of its curve."""


@dataclass(frozen=True)
class Subject:
    """The version that a card is about.

    Attributes:
        model: the registered model's name.
        number: the version's.
        candidate: its name in ``params.yaml``.
        key: of the stage that trained it.
        tags: of the version.
        examples: texts of test that are kept with it; of none, a card shows no text either.
    """

    model: str
    number: int
    candidate: str
    key: str
    tags: Mapping[str, str] = field(default_factory=dict)
    examples: int = 0

    @property
    def uri(self) -> str:
        """The address under which it is loaded."""
        return f"models:/{self.model}/{self.number}"


@dataclass(frozen=True)
class CardMaterial:
    """Everything that is known of a version.

    Attributes:
        subject: the version.
        words: what a person says of it.
        summary: what ``metrics.json`` holds of it and of the linear baseline; of others nothing.
        baseline: the best linear candidate beside it; None where there is none or it is that.
        card: what its folder says of itself.
        run: what its run says of parameters, data and circumstances; empty where nobody kept it.
        measured: figures that a clock gave.
        reports: ``ingest``, ``validation``, ``clean``, ``split`` and ``audit``, each as JSON; empty where unknown.
        verdict: the gate's last decision about it; None where none was written down.
        champion: what was kept of the champion that it was compared with.
        shown: the evaluation's rows shown with their texts; 0: no text at all.
        page: figures, courses, and validation rows with the answers of both candidates.
        confusion: its confusions on test as (label, taken for, rows).
        curves: ``roc`` and ``pr``.
        reliability: (mean probability, accuracy, rows) of each bin on test that has rows.
        texts: what its train texts are like; None where they are gone.
        members: of a blend, what each member's folder says of itself, by name.
    """

    subject: Subject
    words: CardWords
    summary: Mapping[str, Any]
    baseline: str | None
    card: Card
    run: Mapping[str, Any]
    measured: Mapping[str, float]
    reports: Mapping[str, Mapping[str, Any]]
    verdict: Decision | None
    champion: Mapping[str, Any] | None
    shown: int
    page: Material
    confusion: Sequence[tuple[str, str, int]] = ()
    curves: Mapping[str, Sequence[Curve]] = field(default_factory=dict)
    reliability: Sequence[tuple[float, float, int]] = ()
    texts: Texts | None = None
    members: Mapping[str, Card] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """The labels that it knows."""
        return list(self.card.labels)

    @property
    def figures(self) -> Mapping[str, Mapping[str, Any]]:
        """Split to its own figures."""
        own: Mapping[str, Mapping[str, Any]] = self.summary["candidates"][self.subject.candidate]
        return own

    @property
    def candidates(self) -> list[str]:
        """Itself, and the baseline beside it."""
        return [self.subject.candidate] + ([self.baseline] if self.baseline else [])

    @property
    def synthetic(self) -> bool:
        """Whether its texts were made by a generator."""
        return bool(self.summary.get("synthetic", self.card.trained_on.get("synthetic", False)))

    @property
    def source(self) -> str:
        """Where its texts come from, as it was given."""
        return str(self.summary.get("source", self.card.trained_on.get("source", "")))

    def told(self, name: str) -> Any:
        """What the summary says of this candidate under a key that not every release writes; None where it does not."""
        return (self.summary.get(name) or {}).get(self.subject.candidate)
