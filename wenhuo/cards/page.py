"""The card as one page that needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from wenhuo.cards.aims import headline
from wenhuo.cards.content import Figure, Part
from wenhuo.cards.material import CardMaterial
from wenhuo.cards.parts import parts
from wenhuo.cards.privacy import address
from wenhuo.pages import sections
from wenhuo.pages.page import fragment, render_page

FOOTER = Markup(
    "The evaluation's figures are those of <code>reports/metrics.json</code>; <code>wenhuo trace</code> leads from "
    "this version to everything that it was made of, <code>wenhuo card</code> makes this page again."
)


def render_card(material: CardMaterial) -> str:
    """The page; the same material, the same bytes."""
    subject = material.subject
    top = sections.header("model card", headline(material), _about(material), good=True)
    title = f"{subject.model}, version {subject.number}"
    return render_page(title, top, [section(part) for part in parts(material)], FOOTER)


def section(part: Part) -> Markup:
    """A part of the card: as the evaluation draws it, with the exact figures below; or as it is told."""
    if not part.instead:
        return fragment("sections/part.html", part=part)
    cells = (cell for table in part.tables for row in table.rows for cell in row)
    exact = any(isinstance(cell, Figure) and cell.path for cell in cells)
    return part.instead + (fragment("sections/exact.html", part=part) if exact else Markup())


def _about(material: CardMaterial) -> Mapping[str, Any]:
    rows = material.summary.get("rows") or material.card.trained_on.get("rows") or {}
    return {
        "rows": {"all": sum(rows.values())},
        "labels": {"number": len(material.labels)},
        "source": address(material.source) or None,
        "synthetic": material.synthetic,
    }
