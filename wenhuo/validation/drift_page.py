"""The page about a data version and the ones before it: what changed, and the history in small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from wenhuo.pages import sections
from wenhuo.pages.histograms import DRAWING
from wenhuo.pages.page import fragment, render_page
from wenhuo.pages.wording import plural, together
from wenhuo.validation.drift_pictures import history_pictures, length_pictures

LABELS_SHOWN = 40  # a table of more is read by nobody; the ones that moved most are shown
FOOTER = Markup(
    "The same for machines: <code>drift.json</code>. The limits stand in <code>params.yaml</code> under "
    "<code>validate.drift</code>, the levels in <code>expectations.yaml</code>. The history is "
    "<code>versions.jsonl</code>."
)


def render_drift(report: Mapping[str, Any]) -> str:
    """The page for a report, see :func:`wenhuo.validation.succession.follow`; the same report, the same bytes."""
    stopped = bool(report["errors"]) and not report["accepted"]
    hint = Markup("If this version may differ as it does: <code>wenhuo accept</code>, and run again.")
    top = sections.header("drift of the data", headline(report), report, good=not stopped, hint=hint if stopped else "")
    parts = [sections.expectations(report, note=""), changes(report), history(report)]
    return render_page("Drift of the data", top, parts, FOOTER)


def headline(report: Mapping[str, Any]) -> str:
    """How a version stands to the one before it, in one sentence."""
    if report["previous"] is None:
        return "The first version known here: nothing to compare it with."
    errors, warnings = (together(plural(report[f"{level}s"], level)) for level in ("error", "warning"))
    if report["errors"]:
        more = f" and {warnings}" if report["warnings"] else ""
        end = "; accepted." if report["accepted"] else "."
        return f"Not like the version before it: {errors}{more}{end}"
    return f"Different from the version before it: {warnings}." if report["warnings"] else "Like the version before it."


def changes(report: Mapping[str, Any]) -> Markup:
    """Rows, labels, lengths and characters, then and now; of the report it needs ``changes`` and ``previous``."""
    found = report["changes"]
    if found is None:
        return Markup()
    groups = [("", [found["rows"]]), ("splits", found["splits"]), ("sources", found["sources"])]
    most = max(max(part["before"], part["now"], 1) for _, parts in groups for part in parts)
    return fragment(
        "sections/changes.html",
        previous=report["previous"],
        groups=[(name, parts) for name, parts in groups if name != "sources" or len(parts) > 1],
        most=most,
        labels=_moved(found["labels"]),
        label_shift=found["label_shift"],
        pictures=length_pictures(found),
        length_shift=found["length_shift"],
        drawing=DRAWING,
        characters=found["new_characters"],
    )


def _moved(labels: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The labels with their shares then and now, those that moved most first."""
    before, now = (sum(label[which] for label in labels or ()) or 1 for which in ("before", "now"))
    shares = [
        {"name": label["name"], "before": label["before"] / before, "now": label["now"] / now} for label in labels or ()
    ]
    return sorted(shares, key=lambda label: (-abs(label["now"] - label["before"]), label["name"]))[:LABELS_SHOWN]


def history(report: Mapping[str, Any]) -> Markup:
    """All versions in small pictures and a table; of the report it needs ``versions`` and ``unreadable``."""
    versions = report["versions"]
    return fragment(
        "sections/history.html",
        pictures=history_pictures(versions),
        versions=list(reversed(versions)),
        unreadable=report["unreadable"],
    )
