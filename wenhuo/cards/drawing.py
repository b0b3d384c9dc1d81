"""Pictures of a card as SVG: ROC and precision-recall curves, reliability, coverage against accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from wenhuo.cards.material import Curve
from wenhuo.metrics.curves import MACRO, MICRO, thinned
from wenhuo.pages.page import fragment
from wenhuo.pages.wording import percent, plural

LEFT, RIGHT, TOP, BASE = 40, 334, 10, 190  # units of the drawing; about pixels at the page's full width
ROOM = {"left": LEFT, "right": RIGHT, "base": BASE, "width": 344, "height": 222}
POINTS = 150  # of a line; more cannot be seen
BANDS = 6  # colours there are
KINDS = {
    "roc": ("ROC curves", "false positive rate", "true positive rate"),
    "pr": ("Precision-recall curves", "recall", "precision"),
}


def curve_pictures(curves: Mapping[str, Sequence[Curve]]) -> Markup:
    """A picture for each kind of curves that there are."""
    return Markup().join(_curves(kind, lines) for kind, lines in curves.items() if lines)


def _curves(kind: str, curves: Sequence[Curve]) -> Markup:
    title, across, upright = KINDS[kind]
    lines = [
        {"name": name, "kind": _kind(name, place), "points": _points(points)}
        for place, (name, points) in enumerate(curves)
    ]
    return _chart(title, across, upright, lines=lines, diagonal=_ends((0, 0), (1, 1)) if kind == "roc" else None)


def _kind(name: str, place: int) -> str:
    return "main" if name in (MACRO, MICRO) else f"stroke{place % BANDS}"


def reliability_picture(bins: Sequence[tuple[float, float, int]]) -> Markup:
    """Accuracy of the rows whose probability lies in a bin, by that probability; the larger a dot, the more rows."""
    if not bins:
        return Markup()
    most = max(rows for _, _, rows in bins)
    dots = [
        {
            "x": _x(sure),
            "y": _y(right),
            "r": round(2.5 + 5.5 * (rows / most) ** 0.5, 2),
            "name": _bin(sure, right, rows),
        }
        for sure, right, rows in bins
    ]
    said = {"diagonal": _ends((0, 0), (1, 1)), "dots": dots, "note": "on test; dotted: exact"}
    return _chart("Reliability", "mean probability", "share that is right", **said)


def _bin(sure: float, right: float, rows: int) -> str:
    return f"{plural(rows, 'row')}: probability {percent(sure)}, right {percent(right)}"


def coverage_picture(curve: Sequence[Mapping[str, Any]]) -> Markup:
    """Accuracy of what is answered, by how much is answered, over all thresholds."""
    points = [(float(one["coverage"]), float(one["accuracy"])) for one in curve if one.get("accuracy") is not None]
    if len(points) < 2:
        return Markup()
    low = max(0.0, int((min(y for _, y in points) - 0.02) * 20) / 20)  # from 0 it would all look alike
    line = {"name": "coverage against accuracy", "kind": "main", "points": _points(sorted(points), low)}
    said = {"lines": [line], "low": low, "note": "on test"}
    return _chart("Coverage against accuracy", "share that is answered", "share of it that is right", **said)


def _chart(title: str, across: str, upright: str, **said: Any) -> Markup:
    low = said.pop("low", 0.0)
    ticks = [
        {"y": _y(low + step * (1 - low), low), "label": f"{low + step * (1 - low):.3g}", "x": _x(step), "across": step}
        for step in (0, 0.5, 1)
    ]
    lines = said.get("lines", [])
    keys = [line for line in lines if line["kind"] != "main"] if len(lines) > 1 else []
    values = {"lines": [], "dots": [], "diagonal": None, "note": "", "keys": keys} | said
    return fragment(
        "sections/chart.html", title=title, across=across, upright=upright, ticks=ticks, room=ROOM, **values
    )


def _points(points: Sequence[tuple[float, float]], low: float = 0.0) -> str:
    kept = [points[place] for place in thinned(len(points), POINTS)]
    return " ".join(f"{_x(x)},{_y(y, low)}" for x, y in kept)


def _ends(first: tuple[float, float], last: tuple[float, float]) -> dict[str, float]:
    return {"x1": _x(first[0]), "y1": _y(first[1]), "x2": _x(last[0]), "y2": _y(last[1])}


def _x(value: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * value, 2)


def _y(value: float, low: float = 0.0) -> float:
    return round(BASE - (BASE - TOP) * (value - low) / (1 - low), 2)
