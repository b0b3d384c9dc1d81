"""Ask all candidates: trained ones one after the other, and of blends only what their members have not said already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from wenhuo.evaluation.answers import Answers, Part, absent, ask
from wenhuo.files import sha256
from wenhuo.models.blend import blended
from wenhuo.models.folder import MEMBERS, read_card


def ask_all(
    models: Path, trained: Collection[str], blends: Collection[str], parts: Mapping[str, Part], labels: list[str]
) -> dict[str, Answers]:
    """What every candidate says about every row: the trained ones first, then the blends.

    Args:
        models: the folder of the candidates' folders.
        trained: the names of those that were trained.
        blends: the names of those that are made of others.
        parts: split to its rows.
        labels: the data's; the columns of the answers are in their order.

    Raises:
        ModelError: there is no model, or it is one of other labels.
    """
    answers = {name: ask(models / name, parts, labels) for name in trained}
    said = {name: _put_together(models / name, models, answers) or ask(models / name, parts, labels) for name in blends}
    return answers | said


def _put_together(folder: Path, models: Path, answers: Mapping[str, Answers]) -> Answers | None:
    """What a blend says, by what its members said; None where one of them is another model than the candidate here.

    It takes the time of all its members, beside which the blending is nothing.
    """
    if not folder.is_dir():
        raise absent(folder, "blend")
    card = read_card(folder)
    weights = card.members or {}
    if not all(name in answers and _same(folder / MEMBERS / name, models / name) for name in weights):
        return None
    members = [answers[name] for name in weights]
    found = {
        split: blended([one.by_split[split] for one in members], list(weights.values()))
        for split in members[0].by_split
    }
    return Answers(found, sum(one.seconds for one in members), card)


def _same(first: Path, second: Path) -> bool:
    """Whether two folders hold the same files."""
    ours, theirs = ({p.relative_to(folder) for p in folder.rglob("*") if p.is_file()} for folder in (first, second))
    return ours == theirs and all(sha256(first / name) == sha256(second / name) for name in ours)
