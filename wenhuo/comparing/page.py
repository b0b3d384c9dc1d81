"""A comparison as a page that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from wenhuo.comparing.comparison import TURNS, Comparison, Line, Split
from wenhuo.comparing.terminal import FIGURES, most_different, turned, verdict
from wenhuo.metrics.paired import Difference
from wenhuo.metrics.summary import spoken
from wenhuo.pages.page import fragment, render_page

FOOTER = Markup("The same as data: <code>wenhuo compare … --json</code>.")
LEAST_SPAN = 0.02  # of the axis of differences, to either side: smaller ones shall look small


def render_comparison(found: Comparison) -> str:
    """The page."""
    first = found.splits[0]
    top = fragment("sections/versus.html", old=found.old, new=found.new, verdict=verdict(found, first), split=first)
    parts = [part for split in found.splits for part in _split(found, split)]
    return render_page(f"{found.old} and {found.new}", top, [*parts, _notes(found)], FOOTER)


def _split(found: Comparison, split: Split) -> list[Markup]:
    names = {"old": found.old, "new": found.new, "split": split.name}
    return [
        fragment(
            "sections/duel.html", verdict=verdict(found, split), rows=split.rows, figures=_figures(split), **names
        ),
        _lines(f"{split.name}-classes", f"By class: F1 on {split.name}", split.classes, found),
        _lines(f"{split.name}-parts", f"By length and source: accuracy on {split.name}", split.slices, found),
        fragment("sections/changed.html", turned=turned(split), groups=_groups(split), **names),
    ]


def _figures(split: Split) -> list[dict[str, Any]]:
    span = _span([split.differences[name] for name in FIGURES if name in split.differences])
    return [
        {
            "title": title,
            "old": spoken(split.old, name),
            "new": spoken(split.new, name),
            "drawn": _drawn(split.differences[name], span) if name in split.differences else None,
        }
        for name, title in FIGURES.items()
    ]


def _lines(key: str, title: str, lines: Sequence[Line], found: Comparison) -> Markup:
    if not lines:
        return Markup()
    chosen = most_different(lines)
    span = _span([line.figure for line in chosen])
    drawn = [{"line": line, "drawn": _drawn(line.figure, span)} for line in chosen]
    left_out = len(lines) - len(chosen)
    return fragment(
        "sections/versus_lines.html", key=key, title=title, lines=drawn, left_out=left_out, old=found.old, new=found.new
    )


def _span(figures: Sequence[Difference]) -> float:
    """How far the axis goes to either side, so that all intervals are on it."""
    ends = [float(abs(end)) for figure in figures for end in (*(figure.interval or ()), figure.difference)]
    return max([LEAST_SPAN, *ends])


def _drawn(figure: Difference, span: float) -> dict[str, Any]:
    """A difference as a point with its interval, in per cent of the room, 50 being none."""

    def place(value: float) -> float:
        return round(50 + 50 * value / span, 2)

    low, high = figure.interval or (figure.difference, figure.difference)
    sure = "" if low <= 0 <= high else "better" if low > 0 else "worse"
    return {
        "value": figure.difference,
        "low": low,
        "high": high,
        "at": place(figure.difference),
        "from": place(low),
        "to": place(high),
        "sure": sure,
    }


def _groups(split: Split) -> list[dict[str, Any]]:
    return [
        {"title": words, "count": split.turned[turn], "rows": split.examples[turn]} for turn, words in TURNS.items()
    ]


def _notes(found: Comparison) -> Markup:
    return fragment("sections/versus_notes.html", notes=found.notes) if found.notes else Markup()
