"""A search as a picture: the course of its scores, and what its parameters matter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from wenhuo.metrics.drawing import FAINT, PALETTE, head, new_figure, save, style
from wenhuo.search.results import SPOKEN, Result


def draw(path: Path, title: str, found: Sequence[Result], matter: dict[str, float], objective: str) -> None:
    """Write a PNG.

    Args:
        path: the file.
        title: over the picture.
        found: the trials that have ended, in order.
        matter: parameters to their shares; without any there is one panel.
        objective: what the scores are.
    """
    with style():
        figure = new_figure(9 if matter else 6, 3.2)
        head(figure, title)
        columns = 2 if matter else 1
        _course(figure.add_subplot(1, columns, 1), found, objective)
        if matter:
            _matter(figure.add_subplot(1, columns, 2), matter)
        save(figure, path)


def _course(axes: Axes, found: Sequence[Result], objective: str) -> None:
    """Scores by trial, pruned ones faint, and the best one so far."""
    better = min if objective == "loss" else max
    pruned = [result for result in found if result.state == "pruned"]
    if pruned:
        places, scores = _places_and_scores(pruned)
        axes.scatter(places, scores, s=14, color=FAINT, marker="x", label="pruned")
    places, scores = _places_and_scores([result for result in found if result.state == "complete"])
    best = [better(scores[: number + 1]) for number in range(len(scores))]
    axes.scatter(places, scores, s=18, color=PALETTE[0], label="complete")
    axes.step(places, best, where="post", color=PALETTE[1], label="best so far")
    axes.set(xlabel="trial", ylabel=f"validation {SPOKEN[objective]}")
    axes.legend(loc="best")


def _places_and_scores(found: Sequence[Result]) -> tuple[list[int], list[float]]:
    return [result.place for result in found], [result.score or 0.0 for result in found]


def _matter(axes: Axes, matter: dict[str, float]) -> None:
    names = list(reversed(matter))
    axes.barh(names, [matter[name] for name in names], color=PALETTE[2], height=0.6)
    axes.set(xlabel="importance (PED-ANOVA, share)")
