"""What a person decided about a row: keep its label, give it another one, or take it out."""

from __future__ import annotations

from wenhuo.sifting.corrections import Correction

KEEP = ("keep", "ok", "保留", "正确")
DROP = ("drop", "remove", "删除", "去掉")
WORDS = "keep or 保留, drop or 删除"


def decide(row: str, given: str, said: str, note: str, labels: list[str]) -> Correction | None:
    """What a cell of the column `decision` means; ``None`` where nothing is decided.

    A label's own name comes first, in whatever case, so that a label may be called "ok".

    Raises:
        ValueError: nobody can tell.
    """
    if not said:
        return None
    if not row:
        raise ValueError("it has no id")
    if given not in labels:
        raise ValueError(f"the column given holds {given!r}, which is no label")
    exact = [label for label in labels if label == said] or [x for x in labels if x.casefold() == said.casefold()]
    if len(exact) == 1:
        return Correction(row, given, exact[0], note)
    if said.casefold() in KEEP:
        return Correction(row, given, given, note)
    if said.casefold() in DROP:
        return Correction(row, given, "", note)
    raise ValueError(f"{said!r} is neither a label nor {WORDS}")
