"""The drawn drift: lengths then and now on one axis, and a small picture of all versions, in the units of an SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from wenhuo.pages.histograms import histograms
from wenhuo.validation.summary import length_edges

DRAWING = {"width": 340, "height": 132, "base": 112, "top": 18}
WIDEST = 34  # of a column: two versions should not fill the picture
LABELS_DRAWN = 5  # labels with a colour of their own; the rest is one grey band


def length_pictures(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lengths of the previous version and of this one, drawn to one scale; see ``histograms``."""
    both = {"previous version": "before", "this version": "now"}
    longest = max((int(least) for which in both.values() for least in changes["lengths"][which]), default=0)
    edges = length_edges(longest)
    drawn = {
        name: {"rows_by_bin": _coarse(changes["lengths"][which], edges), **changes["quantiles"][which]}
        | {"past": which == "before"}
        for name, which in both.items()
        if changes["lengths"][which]
    }
    return histograms({"edges": edges, "splits": drawn})


def _coarse(rows: Mapping[str, int], edges: Sequence[int]) -> list[int]:
    """The fine bins of the history as the wider ones of the report, whose edges are all among the fine ones."""
    counts = [0] * (len(edges) - 1)
    for least, count in rows.items():
        counts[max(place for place, edge in enumerate(edges[:-1]) if edge <= int(least))] += count
    return counts


def history_pictures(versions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows, label shares and lengths of all versions, oldest first, this one last."""
    rows = [version["rows"]["all"] for version in versions]
    medians, p90s = ([version["quantiles"].get(name, 0) for version in versions] for name in ("median", "p90"))
    highest = max(*p90s, 1)
    return {
        "drawing": DRAWING,
        "rows": [box | {"value": value} for box, value in zip(_columns(rows, max(*rows, 1)), rows, strict=True)],
        "labels": _stacks([version["labels"] or {} for version in versions]),
        "median": _line(medians, highest),
        "p90": _line(p90s, highest),
    }


def _places(number: int) -> list[tuple[float, float]]:
    """Left end and width of each version's column."""
    step = DRAWING["width"] / number
    width = min(step * 0.8, WIDEST)
    return [(round(place * step + (step - width) / 2, 2), round(width, 2)) for place in range(number)]


def _columns(values: Sequence[float], highest: float) -> list[dict[str, float]]:
    room = DRAWING["base"] - DRAWING["top"]
    heights = [round(value / highest * room, 2) for value in values]
    return [
        {"x": x, "width": width, "y": round(DRAWING["base"] - height, 2), "height": height}
        for (x, width), height in zip(_places(len(values)), heights, strict=True)
    ]


def _line(values: Sequence[int], highest: float) -> dict[str, Any]:
    """The points of a line through the tops of the columns, and the last value beside its end."""
    dots = [
        {"x": round(box["x"] + box["width"] / 2, 2), "y": box["y"], "value": value}
        for box, value in zip(_columns(values, highest), values, strict=True)
    ]
    return {"dots": dots, "points": " ".join(f"{dot['x']},{dot['y']}" for dot in dots)}


def _stacks(labels: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """Bands of label shares in each version's column, from the bottom up, and the names of the bands."""
    totals: Counter[str] = Counter()
    for rows in labels:
        totals.update(rows)
    names = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))]
    drawn, others = names[:LABELS_DRAWN], len(names) - LABELS_DRAWN
    boxes = [
        box
        for place, rows in zip(_places(len(labels)), labels, strict=True)
        for box in _bands(
            place, [*(rows.get(name, 0) for name in drawn), sum(rows.get(name, 0) for name in names[LABELS_DRAWN:])]
        )
    ]
    return {"names": drawn, "others": max(others, 0), "boxes": boxes}


def _bands(place: tuple[float, float], rows: Sequence[int]) -> list[dict[str, Any]]:
    total, room = sum(rows), DRAWING["base"] - DRAWING["top"]
    bands, bottom = [], float(DRAWING["base"])
    for band, count in enumerate(rows):
        if count:
            height = count / total * room
            bottom -= height
            bands.append(
                {"x": place[0], "width": place[1], "y": round(bottom, 2), "height": round(height, 2), "band": band}
                | {"share": count / total}
            )
    return bands
