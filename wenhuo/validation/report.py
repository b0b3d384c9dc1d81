"""The validation report that a person reads. It shows figures and row ids, never a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from wenhuo.pages import sections
from wenhuo.pages.page import render_page
from wenhuo.pages.wording import plural, together

FOOTER = Markup(
    "The same for machines: <code>validation.json</code>. "
    "The limits stand in <code>params.yaml</code> under <code>validate</code>, levels and expectations of your own in "
    "<code>expectations.yaml</code>. What has changed since the previous data version: <code>drift.html</code>."
)


def render_report(summary: Mapping[str, Any]) -> str:
    """The page for a summary, see :func:`wenhuo.validation.summary.summarise`; the same summary, the same bytes."""
    parts = (
        sections.expectations,
        sections.labels,
        sections.sources,
        sections.lengths,
        sections.overlaps,
        sections.copies,
    )
    return render_page(
        f"Validation: {'passed' if summary['success'] else 'failed'}",
        sections.header("validation of the corpus", headline(summary), summary, good=summary["success"]),
        [section(summary) for section in parts],
        FOOTER,
    )


def headline(summary: Mapping[str, Any]) -> str:
    """The verdict on a corpus in one sentence."""
    errors, warnings = summary["errors"], together(plural(summary["warnings"], "warning"))
    if errors:
        more = f" and {warnings}" if summary["warnings"] else ""
        return f"Not fit to go on: {together(plural(errors, 'error'))}{more}."
    return f"Fit to go on, with {warnings}." if summary["warnings"] else "Fit to go on; every expectation is met."
