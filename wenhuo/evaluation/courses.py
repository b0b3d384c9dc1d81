"""The drawn courses of trainings: loss and validation macro-F1 by step, in the units of an SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wenhuo.evaluation.material import Shown
from wenhuo.metrics.curves import thinned
from wenhuo.training.history import Point

WIDTH, HEIGHT = 340, 150  # units of the drawing; about pixels at the page's full width
LEFT, TOP, BASE = 36, 12, 128
POINTS = 150  # of a line; more cannot be seen
LOSS = {"train/loss": "main", "validation/loss": "second"}
SCORE = "validation/macro_f1"
DRAWING = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "base": BASE}


@dataclass(frozen=True)
class Scale:
    """What the axes span: values from ``low`` to ``high`` and steps from 0 to ``steps``."""

    low: float
    high: float
    steps: int

    def x(self, step: float) -> float:
        """Where a step stands."""
        return round(LEFT + (WIDTH - LEFT - 6) * step / max(1, self.steps), 2)

    def y(self, value: float) -> float:
        """Where a value stands; one beyond the axis stands at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(BASE - (BASE - TOP) * share, 2)

    def ticks(self) -> list[dict[str, Any]]:
        """The ends and the middle of the upright axis."""
        values = (self.low, (self.low + self.high) / 2, self.high)
        return [{"y": self.y(value), "label": f"{value:.3g}"} for value in values]


def courses(candidates: Mapping[str, Shown], baseline: tuple[str, float] | None) -> list[dict[str, Any]]:
    """Two pictures for each candidate that was trained in steps, all to the same scales, so that they compare.

    Args:
        candidates: by name; those without a course of several steps are left out.
        baseline: the name and validation macro-F1 of the best linear candidate, drawn as a level.
    """
    drawn = {name: one.history for name, one in candidates.items() if one.history and one.history[-1].step > 1}
    if not drawn:
        return []
    losses = [p.value for points in drawn.values() for p in points if p.metric in LOSS]
    scores = [p.value for points in drawn.values() for p in points if p.metric == SCORE]
    scores += [baseline[1]] if baseline else []
    floor, ceiling = _tenths(min(scores, default=0.0)), _tenths(max(scores, default=1.0), up=True)
    return [
        {
            "name": name,
            "steps": points[-1].step,
            "epochs": max(point.epoch for point in points),
            "loss": _loss(points, Scale(0.0, _rounded_up(max(losses, default=1.0)), points[-1].step)),
            "score": _score(points, Scale(floor, max(ceiling, floor + 0.1), points[-1].step), baseline),
        }
        for name, points in drawn.items()
    ]


def _loss(points: Sequence[Point], scale: Scale) -> dict[str, Any]:
    lines = {kind: _line([p for p in points if p.metric == metric], scale) for metric, kind in LOSS.items()}
    return {"lines": {kind: line for kind, line in lines.items() if line["dots"]}, "ticks": scale.ticks()}


def _score(points: Sequence[Point], scale: Scale, baseline: tuple[str, float] | None) -> dict[str, Any]:
    measured = [point for point in points if point.metric == SCORE]
    kept = max(measured, key=lambda point: point.value, default=None)  # of equals the first, as the training keeps it
    return {
        "lines": {"main": _line(measured, scale)},
        "ticks": scale.ticks(),
        "kept": None if kept is None else {"x": scale.x(kept.step), "y": scale.y(kept.value), "value": kept.value},
        "level": None if baseline is None else {"name": baseline[0], "y": scale.y(baseline[1]), "value": baseline[1]},
    }


def _line(points: Sequence[Point], scale: Scale) -> dict[str, Any]:
    kept = [points[place] for place in thinned(len(points), POINTS)] if points else []
    dots = [{"x": scale.x(p.step), "y": scale.y(p.value), "step": p.step, "value": p.value} for p in kept]
    return {"dots": dots, "points": " ".join(f"{dot['x']},{dot['y']}" for dot in dots)}


def _tenths(value: float, *, up: bool = False) -> float:
    return round((math.ceil(value * 10 - 1e-9) if up else math.floor(value * 10 + 1e-9)) / 10, 1)


def _rounded_up(value: float) -> float:
    """The next number of one digit, such as 0.7 or 3."""
    unit = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return math.ceil(value / unit - 1e-9) * unit
