"""Bars of shares with their intervals, drawn in per cent of the room between a common start and 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

BELOW_LOWEST = 0.05  # where bars start: from 0 they would all look alike


def start_below(lows: Iterable[float]) -> float:
    """Where the bars of some figures begin: a step of a twentieth below the lowest of them."""
    return max(0.0, int((min(lows, default=0.0) - BELOW_LOWEST) * 20) / 20)


def bar(share: float, interval: Sequence[float] | None, start: float) -> dict[str, Any]:
    """What is drawn of one figure.

    Args:
        share: from 0 to 1.
        interval: its low and high end; None draws none.
        start: where the bar begins.

    Returns:
        ``low`` and ``high``, and in per cent of the room ``width``, ``from`` and ``to``.
    """

    def place(value: float) -> float:
        return round(100 * max(value - start, 0) / (1 - start), 2) if start < 1 else 0.0

    low, high = interval or (share, share)
    return {"low": low, "high": high, "width": place(share), "from": place(low), "to": place(high)}
