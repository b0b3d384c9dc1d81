"""How the pages and messages put figures into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

NOUNS = {
    "offenders": ("row", "rows"),
    "rows": ("row", "rows"),
    "rows of the rarest label": ("row of the rarest label", "rows of the rarest label"),
    "labels": ("label", "labels"),
    "characters": ("character", "characters"),
    "unfit fields": ("unfit field", "unfit fields"),
    "unused labels": ("unused label", "unused labels"),
    "strayed splits": ("split", "splits"),
    "strayed sources": ("source", "sources"),
    "new labels": ("new label", "new labels"),
    "lost labels": ("lost label", "lost labels"),
}
TEXT_CHARACTERS = 160  # of a text in a table; more makes one that nobody reads

# Units of which none is the good number.
NOT_WANTED = (
    *("offenders", "unfit fields", "unused labels"),
    *("strayed splits", "strayed sources", "new labels", "lost labels"),
)


def number(value: float) -> str:
    """A count or a measure with thousands separated."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def percent(share: float) -> str:
    """A share of 0 to 1 in per cent; what is more than nothing is never shown as nothing."""
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{share:.1%}"


def change(share: float) -> str:
    """By how much something has grown or shrunk, from a share; 0.5 is half as many more."""
    return "as before" if not share else f"{share:+,.1%}".replace("-", "−")


def points(difference: float) -> str:
    """A difference of two shares in percentage points."""
    return f"{difference:+.1f}".replace("-", "−")


def visible(character: str) -> str:
    """A character, or a box where it would not be seen or would disturb its neighbours."""
    return character if character.isprintable() and not character.isspace() else "□"


def coded(text: Any) -> Markup:
    """Plain text with what stands between backticks as code."""
    pieces = str(text).split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if place % 2 else Markup("{}").format(piece)
        for place, piece in enumerate(pieces)
    )


def excerpt(text: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= TEXT_CHARACTERS else line[:TEXT_CHARACTERS] + "…"


def plural(count: int, singular: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def together(words: str) -> str:
    """The words with spaces at which no line is broken."""
    return words.replace(" ", "\u00a0")


def observed(verdict: Mapping[str, Any]) -> str:
    """What was observed, in words."""
    value, unit = verdict["observed"], verdict["unit"]
    if value is None:
        return str(verdict["note"])
    if unit in NOT_WANTED and not value:
        return "none"
    if unit == "share":
        return percent(value)
    if unit == "change":
        return change(value)
    if unit == "value":
        return number(value)
    return plural(value, *NOUNS[unit])


def asked(verdict: Mapping[str, Any]) -> str:
    """What an expectation asks, as expectations.yaml says it."""
    arguments = ", ".join(f"{name} {_value(value)}" for name, value in verdict["arguments"].items())
    rows = " and ".join(f"{column} {value}" for column, value in verdict["where"].items())
    what = f"{verdict['expectation'].removeprefix('expect_')}: {arguments}"
    return f"{what}, where {rows}" if rows else what


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value[:10])) + (" …" if len(value) > 10 else "")
    return str(value)
