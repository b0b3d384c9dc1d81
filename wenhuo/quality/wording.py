"""How the pages and messages put figures into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOUNS = {
    "offenders": ("row", "rows"),
    "rows": ("row", "rows"),
    "rows of the rarest label": ("row of the rarest label", "rows of the rarest label"),
    "labels": ("label", "labels"),
    "unfit fields": ("unfit field", "unfit fields"),
    "unused labels": ("unused label", "unused labels"),
}
NOT_WANTED = ("offenders", "unfit fields", "unused labels")  # units of which none is the good number


def number(value: float) -> str:
    """A count or a measure with thousands separated."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def percent(share: float) -> str:
    """A share of 0 to 1 in per cent; what is more than nothing is never shown as nothing."""
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{share:.1%}"


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
    return plural(value, *NOUNS[unit])
