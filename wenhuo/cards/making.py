"""Make the card of a version, and write it where a person finds it: ``reports/cards/NAME-VERSION.md`` and ``.html``."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from wenhuo.cards.files import Files
from wenhuo.cards.gathering import gather
from wenhuo.cards.markdown import render_description, render_markdown
from wenhuo.cards.material import CardMaterial, Subject
from wenhuo.cards.page import render_card
from wenhuo.cards.rules import read_rules
from wenhuo.files import write_text

CARDS = Path("reports/cards")
PLACE = "card"
"""The folder of the run's artifacts that holds cards."""


@dataclass(frozen=True)
class MadeCard:
    """A card in its three forms.

    Attributes:
        name: of its files, without an ending.
        material: what it is made of.
        markdown: the whole card.
        page: the whole card as HTML.
        description: what fits into MLflow's page of the version.
    """

    name: str
    material: CardMaterial
    markdown: str
    page: str
    description: str

    @property
    def files(self) -> dict[str, str]:
        """File name to content."""
        return {f"{self.name}.md": self.markdown, f"{self.name}.html": self.page}

    @property
    def digest(self) -> str:
        """SHA-256 over all three."""
        whole = "\0".join((self.markdown, self.page, self.description))
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def make_card(root: Path, subject: Subject, files: Files) -> MadeCard:
    """The card of a version, from the files that made it; the same of these, the same bytes.

    Raises:
        DataError: its figures or its model are gone.
        ModelError: its folder is damaged or refused.
        SettingsError: ``register.card`` of ``params.yaml`` is not what it may be.
    """
    material = gather(root, subject, files, read_rules(root))
    name = f"{subject.model}-{subject.number}".replace(os.sep, "_")
    where = f"`{PLACE}/{name}.html` among the artifacts of its run"
    forms = render_markdown(material), render_card(material), render_description(material, where)
    return MadeCard(name, material, *forms)


def write_card(root: Path, made: MadeCard) -> list[Path]:
    """Write a card's files below a project's folder; return their paths."""
    paths = []
    for name, content in made.files.items():
        paths.append(root / CARDS / name)
        write_text(paths[-1], content)
    return paths
