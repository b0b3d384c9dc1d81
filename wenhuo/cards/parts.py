"""The parts of a card in their order; one about which nothing is known is left out."""

from __future__ import annotations

from wenhuo.cards import aims, measured, origins
from wenhuo.cards.confused import confusion
from wenhuo.cards.content import Part
from wenhuo.cards.examples import examples
from wenhuo.cards.limits import limits
from wenhuo.cards.material import CardMaterial


def parts(material: CardMaterial) -> list[Part]:
    """All parts: what one must know first, then what it rests on."""
    made = [
        aims.purpose(material),
        measured.bars(material),
        measured.figures(material),
        aims.verdict(material),
        limits(material),
        aims.loading(material),
        confusion(material),
        measured.slices(material),
        measured.error_kinds(material),
        measured.robustness(material),
        measured.calibration(material),
        measured.curves(material),
        examples(material),
        origins.course(material),
        origins.data(material),
        origins.training(material),
    ]
    return [part for part in made if part is not None and not (part.silent and not (part.instead or part.drawn))]
