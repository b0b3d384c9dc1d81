"""The drawn lengths of a corpus: bars, ticks and the median of each split, in the units of an SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from wenhuo.pages.wording import plural

WIDTH, HEIGHT = 340, 150  # units of the drawing; about pixels at the page's full width
AXIS = 22  # below the bars, for the numbers
HEADROOM = 20  # above the bars, for the median's label
DRAWING = {"width": WIDTH, "height": HEIGHT, "base": HEIGHT - AXIS, "headroom": HEADROOM}


def histograms(lengths: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bars, ticks and median line of each split's lengths, drawn to one scale so that splits compare.

    Args:
        lengths: ``edges`` of the bins and for each split ``rows_by_bin``, quantiles, and ``past`` where it is one to
            compare with.
    """
    edges, splits = lengths["edges"], lengths["splits"]
    first = min((_first_filled(split["rows_by_bin"]) for split in splits.values()), default=0)
    tallest = max((max(split["rows_by_bin"]) / sum(split["rows_by_bin"]) for split in splits.values()), default=1.0)
    step = WIDTH / (len(edges) - 1 - first)
    return [
        {
            "name": name,
            "past": False,
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
    room, rows = HEIGHT - AXIS - HEADROOM, sum(counts)
    heights = [count / rows / tallest * room for count in counts]
    return [
        {
            "x": round((place - first) * step + 0.75, 2),
            "y": round(HEIGHT - AXIS - heights[place], 2),
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
