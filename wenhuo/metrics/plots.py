"""The pictures of an evaluation, each a PNG. The same figures as data are written beside them for ``dvc plots``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from wenhuo.metrics.calibration import Bin, calibration_error
from wenhuo.metrics.curves import AXES, Curve, Kind, thinned
from wenhuo.metrics.drawing import (
    FAINT,
    INK,
    PALETTE,
    PAPER,
    head,
    look,
    new_figure,
    note,
    panels,
    save,
    shares_as_colours,
    style,
)
from wenhuo.metrics.fonts import drawable, readable, spelled, width
from wenhuo.training.history import Point

COUNTED = 20  # with more classes the cells are too small for counts
TICKS = 60  # with more classes not every one has its name at the axis
INSIDE = 4  # a legend of more candidates would cover the lines
COMPARED = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "calibration_error": "calibration error",
}
SPLITS = {"train": 0, "validation": 1}  # their colours
NUMBERED = "Classes by number, see labels.csv:\nno font for their names is installed."


def confusion(path: Path, counts: NDArray[np.int64], labels: list[str], title: str) -> None:
    """The confusion matrix of one candidate: a row an actual class, coloured by shares of it, counts where they fit.

    Args:
        path: where.
        counts: rows of each actual class by predicted class, shape (k, k).
        labels: the classes' names.
        title: what is shown.
    """
    with style():
        names, classes = readable(labels), len(labels)
        margin = 0.085 * max(width(name) for name in names)
        side = max(2.2, min(9.0, 0.52 * classes))
        figure = new_figure(side + margin + 1.5, side + margin + 0.9)
        axes = figure.add_subplot()
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        colours, scale = shares_as_colours()
        image = axes.imshow(shares, cmap=colours, norm=scale)
        bar = figure.colorbar(image, ax=axes, fraction=0.045, pad=0.03, label="share of the actual class")
        bar.outline.set_visible(False)
        _name_classes(axes, names)
        if classes <= COUNTED:
            _write_counts(axes, counts, shares)
        axes.set(xlabel="predicted", ylabel="actual")
        head(figure, title)
        _note_numbers(figure, labels)
        save(figure, path)


def compare_curves(path: Path, kind: Kind, curves: Mapping[str, list[Curve]], title: str) -> None:
    """ROC or precision-recall curves: a panel an average or class, a line a candidate, with the areas.

    Args:
        path: where.
        kind: ``roc`` or ``pr``.
        curves: candidate to its curves; the same ones in the same order for each.
        title: what is shown.
    """
    with style():
        names = readable(list(curves), unnamed="candidate ")
        titles = _curve_titles(next(iter(curves.values())))
        columns = {1: 1, 2: 2, 4: 2}.get(len(titles), 3 if len(titles) <= 6 else 4)
        rows = -(-len(titles) // columns)
        below = 0.2 * (len(names) // 2 + 1) if len(names) > INSIDE else 0
        figure = new_figure(3.5 * columns + 0.3, (3.5 + below) * rows + 0.4)
        for place, axes in enumerate(panels(figure, len(titles), columns)):
            lines = {name: of[place] for name, of in zip(names, curves.values(), strict=True)}
            _draw_curves(axes, kind, lines, titles[place])
        head(figure, title)
        _note_numbers(figure, [curve.name for curve in next(iter(curves.values()))])
        save(figure, path)


def reliability_diagram(path: Path, bins: list[Bin], title: str) -> None:
    """Accuracy against confidence in bins, and below how many rows each bin has."""
    with style():
        figure = new_figure(4.6, 5.2)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        left, size = [b.lower for b in bins], [b.upper - b.lower for b in bins]
        filled = [b for b in bins if b.accuracy is not None]
        upper.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
        heights = [b.accuracy or 0 for b in bins]
        upper.bar(left, heights, size, align="edge", color=PALETTE[2], alpha=0.55, edgecolor=PAPER)
        upper.plot([b.confidence for b in filled], [b.accuracy for b in filled], "o-", color=PALETTE[1], markersize=4)
        upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
        text = f"expected calibration error {calibration_error(bins):.3f}"
        upper.text(0.03, 0.94, text, transform=upper.transAxes, fontsize=8.5)
        lower.bar(left, [b.rows for b in bins], size, align="edge", color=PALETTE[0], edgecolor=PAPER)
        lower.set(ylabel="rows", xlabel="confidence (probability of the class predicted)")
        lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        head(figure, title)
        save(figure, path)


def learning_curves(path: Path, points: list[Point], title: str) -> None:
    """What training wrote down: a panel a metric, a line a split.

    Args:
        path: where.
        points: at least one.
        title: what is shown.
    """
    series: dict[str, dict[str, list[Point]]] = {}
    for point in points:
        split, _, name = point.metric.rpartition("/")
        series.setdefault(name, {}).setdefault(split, []).append(point)
    with style():
        columns = min(3, len(series))
        figure = new_figure(3.7 * columns + 0.3, 2.8 * -(-len(series) // columns) + 0.5)
        for axes, (name, lines) in zip(panels(figure, len(series), columns), series.items(), strict=True):
            for place, (split, line) in enumerate(lines.items(), start=2):
                _draw_history(axes, split, line, PALETTE[SPLITS.get(split, place % len(PALETTE))])
            axes.set(title=spelled(name.replace("_", " ")), xlabel="step")
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
            axes.legend()
        head(figure, title)
        save(figure, path)


def compare_candidates(path: Path, measures: Mapping[str, Mapping[str, Any]], winner: str, title: str) -> None:
    """The main figures of every candidate on validation and test, with their intervals; the winner is starred.

    Args:
        path: where.
        measures: candidate to split to what :func:`wenhuo.metrics.classification.measure` returned.
        winner: the candidate chosen.
        title: what is shown.
    """
    with style():
        shown = zip(measures, readable(list(measures), unnamed="candidate "), strict=True)
        names = [f"★ {name}" if candidate == winner else name for candidate, name in shown]
        figure = new_figure(13, 1.6 + 0.62 * len(names))
        drawn = panels(figure, len(COMPARED), len(COMPARED))
        for axes, (figure_name, panel_title) in zip(drawn, COMPARED.items(), strict=True):
            for row, splits in enumerate(measures.values()):
                _draw_figure(axes, row, splits, figure_name)
            axes.set(title=panel_title, ylim=(len(names) - 0.4, -0.6))
            axes.set_yticks(range(len(names)), names if axes is drawn[0] else [""] * len(names))
            axes.margins(x=0.18)
            axes.grid(visible=False, axis="y")
            axes.xaxis.set_major_locator(MaxNLocator(4))
        head(figure, title)
        note(figure, "hollow: validation, which chooses the winner (★); filled: test; lines: 95 % bootstrap intervals")
        save(figure, path)


def _name_classes(axes: Axes, names: list[str]) -> None:
    shown = range(0, len(names), -(-len(names) // TICKS))
    size = 8.5 if len(names) <= COUNTED else 6.0
    chosen = [names[place] for place in shown]
    upright = max(width(name) for name in chosen) > (7 if len(names) < 8 else 4)
    axes.set_xticks(shown, chosen, rotation=90 if upright else 0, fontsize=size)
    axes.set_yticks(shown, chosen, fontsize=size)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _write_counts(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    size = 9.0 if counts.max() < 10_000 and len(counts) <= 12 else 7.0
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = PAPER if shares[row, column] > 0.35 else INK
            axes.text(column, row, str(count), ha="center", va="center", fontsize=size, color=colour)


def _note_numbers(figure: Figure, labels: list[str]) -> None:
    if not drawable(labels):
        note(figure, NUMBERED)


def _curve_titles(curves: list[Curve]) -> list[str]:
    if drawable([curve.name for curve in curves]):
        return readable([curve.name for curve in curves])
    return [f"class {curve.number}" if curve.number else curve.name for curve in curves]


def _draw_curves(axes: Axes, kind: Kind, lines: Mapping[str, Curve], title: str) -> None:
    for place, (name, curve) in enumerate(lines.items()):
        axes.plot(curve.x, curve.y, label=f"{name}  {curve.area:.3f}", **look(place))
    x, y = (axis.replace("_", " ") for axis in AXES[kind])
    if kind == "roc":
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=0.8)
    area = "area" if kind == "roc" else "average precision"
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y, title=title)
    if len(lines) <= INSIDE:
        axes.legend(
            title=area, title_fontsize=8.5, loc="lower right" if kind == "roc" else "lower left", alignment="left"
        )
    else:
        axes.legend(title=area, title_fontsize=8.5, loc="upper left", bbox_to_anchor=(-0.1, -0.17), ncols=2)


def _draw_history(axes: Axes, split: str, line: list[Point], colour: str) -> None:
    kept = [line[place] for place in thinned(len(line))]
    marker = "o" if len(kept) <= 30 else ""
    steps, values = [p.step for p in kept], [p.value for p in kept]
    axes.plot(steps, values, color=colour, label=spelled(split), marker=marker, markersize=3.5)


def _draw_figure(axes: Axes, row: int, splits: Mapping[str, Any], name: str) -> None:
    """One figure of one candidate: validation above, test below, each a dot on its interval."""
    colour = look(row)["color"]
    for split, shift in (("validation", -0.16), ("test", 0.16)):
        value = splits[split][name]
        if value is None:
            continue
        interval = splits[split]["intervals"].get(name)
        if interval:
            axes.plot(interval, [row + shift] * 2, color=colour, linewidth=1.5, alpha=0.6, solid_capstyle="round")
        fill = PAPER if split == "validation" else colour
        axes.plot(value, row + shift, "o", markersize=5.5, markerfacecolor=fill, markeredgecolor=colour)
        place = (0, 5) if split == "validation" else (0, -13)
        axes.annotate(
            f"{value:.3f}", (value, row + shift), place, textcoords="offset points", ha="center", fontsize=7.5
        )
