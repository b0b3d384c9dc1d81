"""The validation report that a person reads: one page that needs no network, no script and no other file.

It shows figures and row ids, never a text. Every value is escaped; label and source names come from outside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

HISTOGRAM_WIDTH, HISTOGRAM_HEIGHT = 340, 150  # units of the drawing; about pixels at the page's full width
AXIS = 22  # below the bars, for the numbers
HEADROOM = 20  # above the bars, for the median's label
NOUNS = {
    "offenders": ("row", "rows"),
    "rows": ("row", "rows"),
    "rows of the rarest label": ("row of the rarest label", "rows of the rarest label"),
    "labels": ("label", "labels"),
    "unfit fields": ("unfit field", "unfit fields"),
    "unused labels": ("unused label", "unused labels"),
}
NOT_WANTED = ("offenders", "unfit fields", "unused labels")  # units of which none is the good number
DRAWING = {
    "width": HISTOGRAM_WIDTH,
    "height": HISTOGRAM_HEIGHT,
    "base": HISTOGRAM_HEIGHT - AXIS,
    "headroom": HEADROOM,
}


def render_report(summary: Mapping[str, Any]) -> str:
    """The page for a summary, see :func:`wenhuo.quality.summary.summarise`; the same summary, the same bytes."""
    pages = Environment(
        loader=PackageLoader("wenhuo.quality"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {
        "number": number,
        "percent": percent,
        "plural": plural,
        "observed": observed,
        "together": together,
    }
    return pages.get_template("validation.html").render(
        summary,
        splits=[name for name in summary["rows"] if name != "all"],
        groups=_groups(summary["expectations"]),
        histograms=histograms(summary["lengths"]),
        drawing=DRAWING,
        matrix=_matrix(summary),
    )


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


def _groups(verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The verdicts in the order of reading: what stops the graph, what deserves a look, what is well."""
    sorts = {"error": "Errors stop the graph", "warning": "Warnings deserve a look", "met": "Met"}
    groups = [
        {"kind": kind, "title": title, "verdicts": [v for v in verdicts if _kind(v) == kind]}
        for kind, title in sorts.items()
    ]
    return [group for group in groups if group["verdicts"]]


def _kind(verdict: Mapping[str, Any]) -> str:
    return "met" if verdict["success"] else str(verdict["level"])


def _matrix(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each split, how many of its rows stand in each split; None where that is not counted."""
    rows, counts = summary["rows"], summary["overlaps"]
    splits = [name for name in rows if name != "all"]
    return [
        {
            "name": mine,
            "cells": [
                {"own": mine == other, "rows": count, "share": None if count is None else count / rows[mine]}
                for other in splits
                for count in [counts.get(f"repeats_in_{mine}" if mine == other else f"{mine}_in_{other}")]
            ],
        }
        for mine in splits
    ]


def histograms(lengths: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bars, ticks and median line of each split's lengths, drawn to one scale so that splits compare.

    Args:
        lengths: ``edges`` of the bins and for each split ``rows_by_bin`` and quantiles.
    """
    edges, splits = lengths["edges"], lengths["splits"]
    first = min((_first_filled(split["rows_by_bin"]) for split in splits.values()), default=0)
    tallest = max((max(split["rows_by_bin"]) / sum(split["rows_by_bin"]) for split in splits.values()), default=1.0)
    step = HISTOGRAM_WIDTH / (len(edges) - 1 - first)
    return [
        {
            "name": name,
            **{key: value for key, value in split.items() if key != "rows_by_bin"},
            "bars": _bars(split["rows_by_bin"], edges, first, step, tallest),
            "ticks": _ticks(edges, first, step),
            "median_at": _position(split["median"], edges, first, step),
        }
        for name, split in splits.items()
    ]


def _first_filled(counts: Sequence[int]) -> int:
    return next(place for place, count in enumerate(counts) if count)


def _bars(counts: Sequence[int], edges: Sequence[int], first: int, step: float, tallest: float) -> list[dict[str, Any]]:
    room, rows = HISTOGRAM_HEIGHT - AXIS - HEADROOM, sum(counts)
    heights = [count / rows / tallest * room for count in counts]
    return [
        {
            "x": round((place - first) * step + 0.75, 2),
            "y": round(HISTOGRAM_HEIGHT - AXIS - heights[place], 2),
            "width": round(step - 1.5, 2),
            "height": round(heights[place], 2),
            "title": f"{edges[place]:,} to {edges[place + 1] - 1:,} characters: {plural(count, 'row')}",
        }
        for place, count in enumerate(counts)
        if count
    ]


def _ticks(edges: Sequence[int], first: int, step: float) -> list[dict[str, Any]]:
    """A number under every fourth edge (each four times the last), as long as it is not cut at the right."""
    places = [place for place in range(first, len(edges) - 1) if edges[place] in {4**power for power in range(12)}]
    return [{"x": round((place - first) * step, 2), "label": f"{edges[place]:,}"} for place in places]


def _position(length: int, edges: Sequence[int], first: int, step: float) -> float:
    """Where a length stands on the axis: within its bin by the logarithm."""
    place = max(index for index, edge in enumerate(edges[:-1]) if edge <= length)
    low, high = max(edges[place], 0.5), edges[place + 1]
    inside = math.log(max(length, 0.5) / low) / math.log(high / low)
    return round((place - first + min(max(inside, 0.0), 1.0)) * step, 2)
