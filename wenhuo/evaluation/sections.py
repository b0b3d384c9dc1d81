"""Sections about where candidates are weak: robustness, slices, errors by kind.

Each takes what ``metrics.json`` holds and the names of the candidates to show, all of them or one, and returns markup;
empty where nothing was measured, as in files of before there was such a thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from wenhuo.pages.bars import bar, start_below
from wenhuo.pages.page import fragment

DEEPEST = 45  # per cent of the colour of the deepest fall
LEAST_WORST = 0.02  # a fall of which a page at least must tell to be coloured fully: smaller ones shall look small
LEAST_SPAN = 0.1  # of the axis of error rates
INSET = 5  # per cent of the room at either end of it, so that a point there is seen whole

KINDS = {
    "typos": ("Typing errors", "a character doubled, dropped or swapped, a neighbouring key"),
    "homophones": ("Wrong homophones", "another common word or character of the same reading"),
    "traditional": ("Traditional script", "every simplified character"),
    "no_punctuation": ("No punctuation", "Chinese and ASCII marks dropped"),
}
CUTS = {
    "length": "By length",
    "source": "By source",
    "domain": "By domain",
    "leak": "By whether the row stands in the source's train",
    "truncation": "By whether the encoder cuts the text",
}


def robustness(summary: Mapping[str, Any], names: Sequence[str]) -> Markup:
    """Accuracy of each candidate on perturbed texts, and by how much it falls.

    Args:
        summary: what ``metrics.json`` holds.
        names: the candidates to show.
    """
    found: Mapping[str, Any] = summary.get("robustness") or {}
    held = [name for name in names if name in found.get("candidates", {})]
    if not held:
        return Markup()
    kinds = [kind for kind in found["kinds"] if kind in KINDS]
    lines = {name: found["candidates"][name] for name in held}
    worst = max([LEAST_WORST, *(line[kind]["fall"] for line in lines.values() for kind in kinds)])
    first = next(iter(lines.values()))
    return fragment(
        "sections/robustness.html",
        rows=found["rows"],
        sample=found["sample"],
        rate=found["rate"],
        kinds=[{"title": KINDS[kind][0], "about": KINDS[kind][1], **first[kind]} for kind in kinds],
        lines=[
            {
                "name": name,
                "plain": line["plain"],
                "cells": [line[kind] | {"shade": _shade(line[kind]["fall"], worst)} for kind in kinds],
            }
            for name, line in lines.items()
        ],
    )


def _shade(fall: float, worst: float) -> float:
    return round(DEEPEST * max(0.0, fall) / worst, 1)


def slices(summary: Mapping[str, Any], names: Sequence[str]) -> Markup:
    """Accuracy of each candidate on parts of test.

    Args:
        summary: what ``metrics.json`` holds.
        names: the candidates to show.
    """
    held = {name: summary.get("slices", {}).get(name) for name in names}
    lines = {name: {(one["by"], one["slice"]): one for one in found} for name, found in held.items() if found}
    if not lines:
        return Markup()
    keys = list(dict.fromkeys(key for found in lines.values() for key in found))
    lows = [(one["interval"] or [one["accuracy"]])[0] for found in lines.values() for one in found.values()]
    start = start_below(lows)
    groups = [
        {
            "title": CUTS.get(by, by),
            "rows": [_slice(key, lines, start) for key in keys if key[0] == by],
        }
        for by in dict.fromkeys(by for by, _ in keys)
    ]
    return fragment("sections/slices.html", names=list(lines), groups=groups, start=start)


def _slice(key: tuple[str, str], lines: Mapping[str, Mapping[Any, Any]], start: float) -> dict[str, Any]:
    """One part in a line; None in the place of a candidate that it says nothing about."""
    found = [one.get(key) for one in lines.values()]
    drawn = [None if one is None else one | {"bar": bar(one["accuracy"], one["interval"], start)} for one in found]
    return {"name": key[1], "rows": sorted({one["rows"] for one in found if one is not None}), "cells": drawn}


def error_kinds(summary: Mapping[str, Any], names: Sequence[str]) -> Markup:
    """Which properties of rows go with more errors than usual, for each candidate.

    Args:
        summary: what ``metrics.json`` holds.
        names: the candidates to show.
    """
    held = {name: summary.get("error_kinds", {}).get(name) for name in names}
    lines = {name: found for name, found in held.items() if found}
    if not lines:
        return Markup()
    drawn = [
        {
            "name": name,
            "usual": found[0]["usual"],
            "kinds": _drawn([one for one in found if one["group"] == "rows"]),
            "confusions": [one for one in found if one["group"] == "confusion"],
        }
        for name, found in lines.items()
    ]
    return fragment("sections/error_kinds.html", candidates=drawn)


def _drawn(kinds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each kind with where its rate, its interval and the usual rate stand, in per cent of the room."""
    ends: list[float] = [end for one in kinds for end in (one["rate"], one["usual"], *(one["interval"] or ()))]
    span: float = max([LEAST_SPAN, *ends])

    def place(rate: float) -> float:
        return round(INSET + (100 - 2 * INSET) * rate / span, 2)

    return [
        {
            **one,
            "at": place(one["rate"]),
            "from": place((one["interval"] or [one["rate"]])[0]),
            "to": place((one["interval"] or [one["rate"]])[-1]),
            "level": place(one["usual"]),
            "sure": {True: "worse", False: "better", None: ""}[one["more"]],
        }
        for one in kinds
    ]
