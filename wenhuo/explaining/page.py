"""An explanation as a page that needs no network."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from wenhuo.explaining.explanation import Explanation, Neighbours, strongest
from wenhuo.explaining.terminal import suspicion
from wenhuo.pages.page import fragment, render_page

WORDS = 30
DEEPEST = 55  # per cent of colour under the strongest character; more would drown it
FAINTEST = 4  # per cent; less is not coloured


def render_explanation(found: Explanation) -> str:
    """The page."""
    parts = [_text(found), _words(found), _near(found.neighbours)]
    return render_page(f"Why {found.label}", _header(found), parts, _footer(found))


def _header(found: Explanation) -> Markup:
    shares = sorted(zip(found.labels, found.found.probabilities.tolist(), strict=True), key=lambda pair: -pair[1])
    said = {"predicted": found.predicted, "best": found.best}
    return fragment("sections/explained.html", model=found.model, shares=shares[:12], **said)


def _text(found: Explanation) -> Markup:
    weights, most = found.found.characters.tolist(), float(abs(found.found.characters).max()) or 1.0
    characters = [
        {"text": character, "weight": weight, "read": read, "share": round(DEEPEST * abs(weight) / most)}
        for character, weight, read in zip(found.text, weights, found.found.read.tolist(), strict=True)
    ]
    runs = [_run(one) for one in characters]
    return fragment("sections/weighed.html", label=found.label, runs=runs, found=found.found, notes=found.notes)


def _run(one: dict[str, Any]) -> dict[str, Any]:
    kind = "unread" if not one["read"] else "" if one["share"] < FAINTEST else "for" if one["weight"] > 0 else "against"
    return one | {"kind": kind}


def _words(found: Explanation) -> Markup:
    shown = strongest(found.words(), WORDS)
    most = max((abs(word.weight) for word in shown), default=1.0)
    lines = [{"text": w.text, "weight": w.weight, "width": round(50 * abs(w.weight) / most, 2)} for w in shown]
    return fragment("sections/words.html", lines=lines, label=found.label) if lines else Markup()


def _near(near: Neighbours | None) -> Markup:
    if near is None:
        return Markup()
    rows = [{"row": row, "suspicion": suspicion(row) if row.suggested is not None else ""} for row in near.rows]
    return fragment("sections/nearest.html", rows=rows, near=near)


def _footer(found: Explanation) -> str:
    return f"Explained by {found.found.method}; the weights sum to the change but for {found.found.gap:+.4f}."
