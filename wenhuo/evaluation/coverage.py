"""The section about probabilities: temperatures, and accuracy by the share of rows that is answered, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from wenhuo.evaluation.courses import DRAWING, Scale
from wenhuo.pages.page import fragment

LINES = {"test": "main", "validation": "second"}
FEWEST = 20  # rows behind a point that is drawn: the accuracy of fewer jumps about
FIGURES = ("log_loss", "calibration_error")


def probabilities(summary: Mapping[str, Any], names: Sequence[str]) -> Markup:
    """What each temperature changed, and a picture of accuracy against coverage for each candidate.

    Args:
        summary: what ``metrics.json`` holds; nothing is said where it is older than this.
        names: the candidates to show.
    """
    held: Mapping[str, Any] = summary.get("calibration") or {}
    known = {name: held[name] for name in names if name in held}
    lines = [
        {"name": name, "split": split, "temperature": _temperature(one), **_line(one, summary, name, split)}
        for name, one in known.items()
        for split in ("validation", "test")
        if summary["candidates"][name][split]["rows"]
    ]
    if not lines:
        return Markup()
    return fragment(
        "sections/probabilities.html", lines=lines, pictures=pictures(known), drawing=DRAWING, fewest=FEWEST
    )


def _temperature(one: Mapping[str, Any]) -> float | None:
    """None for a blend: the sum of its weights does what a temperature would do."""
    return None if "weights" in one else float(one["temperature"])


def _line(one: Mapping[str, Any], summary: Mapping[str, Any], name: str, split: str) -> dict[str, Any]:
    measure, before = summary["candidates"][name][split], one[split]["untempered"]
    return {figure: {"before": before[figure], "after": measure[figure]} for figure in FIGURES}


def pictures(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A picture for each candidate, all to the same scales.

    Args:
        known: candidate to what :func:`wenhuo.evaluation.calibration.calibration` says of it.
    """
    drawn = {name: {split: _points(one[split]) for split in LINES} for name, one in known.items()}
    shown = [point["accuracy"] for lines in drawn.values() for line in lines.values() for point in line]
    wanted = [one["abstain_for"] for one in known.values() if one["abstain_for"] is not None]
    floor = min(0.9, int(10 * min([*shown, *wanted], default=0.9)) / 10)
    scale = Scale(floor, 1.0, 100)
    return [_picture(name, known[name], lines, scale) for name, lines in drawn.items() if any(lines.values())]


def _points(split: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [point for point in split["coverage_curve"] if point["rows"] >= FEWEST]


def _picture(
    name: str, one: Mapping[str, Any], lines: Mapping[str, Sequence[Mapping[str, Any]]], scale: Scale
) -> dict[str, Any]:
    wanted = one["abstain_for"]
    return {
        "name": name,
        "ticks": scale.ticks(),
        "lines": {LINES[split]: _drawn(points, scale) for split, points in lines.items() if points},
        "below": one["abstain_below"],
        "wanted": None if wanted is None else {"value": wanted, "y": scale.y(wanted)},
        "marks": {split: _mark(one[split], scale) for split in LINES if one[split].get("answered")},
    }


def _drawn(points: Sequence[Mapping[str, Any]], scale: Scale) -> str:
    return " ".join(f"{scale.x(100 * point['coverage'])},{scale.y(point['accuracy'])}" for point in points)


def _mark(split: Mapping[str, Any], scale: Scale) -> dict[str, Any]:
    found = dict(split["answered"])
    if found["accuracy"] is None:
        return {**found, "x": None}
    return {**found, "x": scale.x(100 * found["coverage"]), "y": scale.y(found["accuracy"])}
