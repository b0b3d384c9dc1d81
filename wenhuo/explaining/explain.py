"""Explain what a model says of a text, with the nearest train rows of the project in whose folder this runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wenhuo.errors import DataError, SettingsError
from wenhuo.explaining.explanation import Attribution, Explanation, Neighbours, Opened, OpenedMember
from wenhuo.explaining.neighbours import nearest
from wenhuo.files import read_json
from wenhuo.models.classifier import abstains
from wenhuo.models.folder import Card, read_card
from wenhuo.pages.wording import plural
from wenhuo.references import find
from wenhuo.text.cleaning import clean_text

PARTS = Path("data/split")
SUSPECTS = Path("reports/suspects.parquet")


def explain(text: str, model: str | None, *, label: str | None, neighbours: int, among: int | None) -> Explanation:
    """Why a model says what it says of a text.

    Args:
        text: as it is given; it is cleaned as before training.
        model: see :mod:`wenhuo.references`; None: the champion.
        label: whose log-odds are explained; None: those of the predicted one.
        neighbours: train rows to show; 0 looks for none.
        among: train rows to look at, at most; 0 looks at all, None at as many as take some seconds.

    Raises:
        ModelError: there is no such model, or it is damaged.
        SettingsError: the model has no such label.
        DataError: nothing is left of the text.
    """
    named = find(model)
    card = read_card(named.folder)
    cleaned = clean_text(text, card.cleaning)
    place = _place(label, card.labels)
    if not cleaned.strip():
        raise DataError("cleaning leaves nothing of the text", "give one that has characters beside marks and spaces")
    opened = _open(named.folder, card)
    found = opened.attribute(cleaned, place)
    near, notes = _near(opened, card, cleaned, neighbours, opened.looks_at if among is None else among)
    notes = [*_about_answer(card, found), *_about_text(text, cleaned, found), *notes]
    return Explanation(named.name, text, cleaned, card.labels, found, near, notes, card.abstain_below)


def _place(label: str | None, labels: list[str]) -> int | None:
    if label is None:
        return None
    if label not in labels:
        raise SettingsError(f"--label {label}: the model has no such label", f"it has {', '.join(labels)}")
    return labels.index(label)


def _open(folder: Path, card: Card) -> Opened:
    if card.kind == "blend":
        from wenhuo.explaining.blend import OpenedBlend

        return OpenedBlend.load(folder, card, _open_member)
    return _open_member(folder, card)


def _open_member(folder: Path, card: Card) -> OpenedMember:
    if card.kind == "linear":
        from wenhuo.explaining.linear import OpenedLinear

        return OpenedLinear.load(folder, card)
    from wenhuo.explaining.transformer import OpenedTransformer

    return OpenedTransformer.load(folder, card)


def _about_answer(card: Card, found: Attribution) -> list[str]:
    if card.abstain_below is None or not abstains(found.probabilities, card.abstain_below):
        return []
    surest = f"{found.probabilities.max():.1%}"
    return [f"The model gives no answer here: it abstains below {card.abstain_below:.1%}, and its surest is {surest}."]


def _about_text(given: str, cleaned: str, found: Attribution) -> list[str]:
    notes = []
    if given != cleaned:
        notes.append("Cleaning has changed the text, as it did before training; shown is what the model reads.")
    if unread := int((~found.read).sum()):
        notes.append(f"{plural(unread, 'character')} of {len(cleaned):,} lie beyond what the model reads of a text.")
    if not found.characters.any():
        notes.append("The model knows nothing of what stands in this text: it says what it says of no text at all.")
    if not found.complete:
        notes.append(f"The weights leave {found.gap:+.3f} of the change in the log-odds open: do not trust small ones.")
    return notes


def _near(opened: Opened, card: Card, text: str, count: int, among: int) -> tuple[Neighbours | None, list[str]]:
    if not count:
        return None, []
    if not (PARTS / "train.parquet").exists():
        return None, [f"There are no train rows in {PARTS}: the project's folder is where neighbours are found."]
    found = nearest(opened, text, PARTS / "train.parquet", SUSPECTS, count=count, among=among)
    return found, _about_rows(card, read_json(PARTS / "dataset.json"), found)


def _about_rows(card: Card, dataset: dict[str, Any], found: Neighbours) -> list[str]:
    notes = []
    if card.trained_on.get("hash", {}).get("train") != dataset["hash"]["train"]:
        notes.append("The train rows that lie here are not those that this model was trained on.")
    if found.looked_at < found.total:
        notes.append(f"Neighbours were looked for among {found.looked_at:,} of {found.total:,} train rows (--among).")
    return notes
