"""The sections of which pages about a corpus are composed: each function takes figures and returns markup.

A ``summary`` is what :func:`wenhuo.validation.summary.summarise` gives and ``validation.json`` holds. A section about
which there is nothing to say is empty markup, which :func:`wenhuo.pages.page.render_page` leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from wenhuo.pages.histograms import DRAWING, histograms
from wenhuo.pages.page import fragment


def header(subject: str, headline: str, summary: Mapping[str, Any], *, good: bool, hint: Markup | str = "") -> Markup:
    """The top of a page.

    Args:
        subject: what the page is about, a few words.
        headline: the verdict, one sentence.
        summary: of which ``rows.all``, ``labels.number``, ``source`` and ``synthetic`` are shown.
        good: colours the headline.
        hint: what to do, one sentence; nothing when empty.
    """
    about = {"source": summary["source"], "synthetic": summary["synthetic"]}
    rows, labels = summary["rows"]["all"], summary["labels"]["number"]
    words = {"subject": subject, "headline": headline, "good": good, "hint": hint}
    return fragment("sections/header.html", rows=rows, labels=labels, **words, **about)


NO_TEXTS = Markup(
    "Texts are not shown here on purpose. A row is found by its id in <code>data/corpus.parquet</code>, "
    "or at the place in its source that stands beside it."
)


def expectations(summary: Mapping[str, Any], note: Markup | str = NO_TEXTS) -> Markup:
    """The verdicts in the order of reading; of the summary it needs ``expectations``. ``note`` stands below them."""
    if not summary["expectations"]:
        return Markup()
    return fragment("sections/expectations.html", groups=_groups(summary["expectations"]), note=note)


def labels(summary: Mapping[str, Any]) -> Markup:
    """Rows of each label and their shares; needs ``labels`` and ``rows``."""
    return fragment(
        "sections/labels.html", labels=summary["labels"], rows=summary["rows"], splits=_splits(summary["rows"])
    )


def lengths(summary: Mapping[str, Any]) -> Markup:
    """A histogram of each split's lengths; needs ``lengths``."""
    pictures = histograms(summary["lengths"])
    return fragment("sections/lengths.html", pictures=pictures, drawing=DRAWING) if pictures else Markup()


def overlaps(summary: Mapping[str, Any]) -> Markup:
    """How many rows of each split stand in each split; needs ``overlaps`` and ``rows``."""
    splits = _splits(summary["rows"])
    if not splits:
        return Markup()
    return fragment("sections/overlaps.html", splits=splits, matrix=_matrix(summary["rows"], summary["overlaps"]))


def sources(summary: Mapping[str, Any]) -> Markup:
    """Rows of each source; needs ``sources`` and ``rows``. Nothing where there is only one source."""
    rows, splits = summary["rows"], _splits(summary["rows"])
    if len(summary["sources"]) < 2:
        return Markup()
    return fragment("sections/sources.html", sources=summary["sources"], rows=rows, splits=splits)


def copies(summary: Mapping[str, Any]) -> Markup:
    """Texts that stand in several rows, by the number of these; needs ``copies`` and ``rows``."""
    found = summary["copies"]
    picture = sizes("Texts by the number of rows they stand in", found["by_size"]) if found["texts"] else Markup()
    return fragment("sections/copies.html", copies=found, rows=summary["rows"]["all"], picture=picture)


SIZES_WIDTH, SIZES_LINE, SIZES_NAME, SIZES_FIGURE = 480, 26, 90, 70  # units of the drawing


def sizes(title: str, by_size: Mapping[str, int]) -> Markup:
    """A picture of groups by their size: how many groups have 2 members, 3, 4-7 and so on.

    Args:
        title: what is counted, a few words.
        by_size: the class of sizes, in order, to the number of groups.
    """
    most, room = max(by_size.values()), SIZES_WIDTH - SIZES_NAME - SIZES_FIGURE
    bars = [
        {"size": size, "groups": groups, "y": SIZES_LINE * place, "width": round(max(room * groups / most, 1), 1)}
        for place, (size, groups) in enumerate(by_size.items())
    ]
    drawing = {"width": SIZES_WIDTH, "height": SIZES_LINE * len(bars), "name": SIZES_NAME}
    return fragment("sections/groups.html", title=title, bars=bars, drawing=drawing)


def _splits(rows: Mapping[str, int]) -> list[str]:
    return [name for name in rows if name != "all"]


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


def _matrix(rows: Mapping[str, int], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """For each split, how many of its rows stand in each split; None where that is not counted."""
    splits = _splits(rows)
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
