"""The common look of the pictures: palette, type, grid; and PNG files without dates.

Figures are objects of their own, drawn by Agg (no ``pyplot``, which keeps a list of them and asks for a display).
The bytes do depend on matplotlib's version and on the installed fonts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure

from wenhuo.files import whole
from wenhuo.metrics.fonts import families, spelled

INK, FAINT, PAPER = "#2f2a26", "#8b837b", "#ffffff"
PALETTE = ("#1f6f8b", "#d1495b", "#e09f3e", "#4f8a5b", "#7b5ea7", "#8d6346", "#2aa6a0", "#6b7280")
DASHES = ("-", "--", ":", "-.")
EMBER = ("#fffaf3", "#fbdcb4", "#f2a65e", "#d1603d", "#7f2a1f")  # from paper to a slow fire
DOTS_PER_INCH = 120


@contextmanager
def style() -> Iterator[None]:
    """Draw with the project's look, whatever the reader's own matplotlib settings, and restore those afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_settings())
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches."""
    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def panels(figure: Figure, count: int, columns: int) -> list[Axes]:
    """``count`` axes in rows of ``columns``."""
    rows = -(-count // columns)
    return [figure.add_subplot(rows, columns, place + 1) for place in range(count)]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without its usual note of the program that made it, whole or not at all."""
    with whole(path) as made:
        FigureCanvasAgg(figure).print_png(made, metadata={"Software": None})  # savefig would draw it twice


def shares_as_colours() -> tuple[LinearSegmentedColormap, Normalize]:
    """Colours of shares from 0 to 1, light to dark, drawn out at the low end: the errors are what one looks for."""
    return LinearSegmentedColormap.from_list("ember", EMBER), PowerNorm(0.5, 0, 1)


def look(place: int) -> dict[str, Any]:
    """Colour and dash of the candidate at a place; 32 differ."""
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": DASHES[place // len(PALETTE) % len(DASHES)]}


def head(figure: Figure, title: str) -> None:
    """A title at the left, in characters that can be drawn."""
    figure.suptitle(spelled(title), x=0.02, ha="left", fontsize=10.5)


def note(figure: Figure, text: str) -> None:
    """A small remark under a picture."""
    figure.supxlabel(text, fontsize=8, color=FAINT)


def _settings() -> dict[str, Any]:
    return {
        "font.family": families(),
        "font.size": 9.5,
        "text.parse_math": False,  # a label may hold a dollar sign
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "axes.titlesize": 10.5,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": False,
        "grid.color": "#ece7e1",
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.7,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "figure.facecolor": PAPER,
    }
