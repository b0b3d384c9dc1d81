"""The data report as one page that needs no network: findings first, then what they rest on.

Unlike the validation report it shows texts, a few of each kind: whoever looks into data wants to see them. The page
holds as many as it is told to, and none with ``shown=0``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from wenhuo.inspection import examples
from wenhuo.inspection.findings import Finding, findings
from wenhuo.pages import sections
from wenhuo.pages.bars import bar, start_below
from wenhuo.pages.page import fragment, render_page
from wenhuo.pages.wording import plural

TITLES = {
    "as_published": "as published",
    "leak_free_part": "as published, test rows that do not stand in train",
    "leak_free_training": "trained without the rows that stand in validation or test",
    "without_punctuation": "the same with all punctuation stripped",
}


@dataclass(frozen=True)
class Material:
    """What a report is made of.

    Attributes:
        validation: what ``validation.json`` holds.
        cleaning: what ``clean.json`` holds.
        audit: what ``audit.json`` holds; None where no model was asked.
        rejected: reason to rows that could not be read; None where that is not known.
        clusters: ``clusters.parquet``.
        contradictions: ``contradictions.parquet``.
        suspects: ``suspects.parquet``; None where no model was asked.
    """

    validation: Mapping[str, Any]
    cleaning: Mapping[str, Any]
    audit: Mapping[str, Any] | None
    rejected: Mapping[str, int] | None
    clusters: Path
    contradictions: Path
    suspects: Path | None

    def findings(self) -> list[Finding]:
        """What is worth saying, the worst first."""
        return findings(self.validation, self.cleaning, self.audit, self.rejected)


def render_data_report(material: Material, *, shown: int, hint: str = "") -> str:
    """The page; the same material, the same bytes.

    Args:
        material: figures and rows.
        shown: examples of each kind; 0 shows no text at all.
        hint: what to do about suspected labels.
    """
    found = material.findings()
    bad = sum(finding.level == "bad" for finding in found)
    validation = material.validation
    parts = [
        fragment("sections/findings.html", findings=found),
        _figures(material.audit),
        sections.labels(validation),
        sections.sources(validation),
        sections.lengths(validation),
        sections.overlaps(validation),
        sections.copies(validation),
        _near(material, shown),
        _contradictions(material.contradictions, shown),
        _suspects(material.suspects, shown, hint),
        _cleaning(material.cleaning),
        sections.expectations(validation),
    ]
    top = sections.header("data report", _headline(bad, found), validation, good=not bad)
    return render_page(f"Data report: {validation['source']}", top, parts)


def _headline(bad: int, found: Sequence[Finding]) -> str:
    look = sum(finding.level == "warning" for finding in found)
    if bad:
        return f"{plural(bad, 'finding spoils', 'findings spoil')} training or its measurement."
    return f"Sound, with {plural(look, 'thing')} to look at." if look else "Sound: nothing was found."


def _figures(audit: Mapping[str, Any] | None) -> Markup:
    published = (audit or {}).get("published")
    if not published:
        return Markup()
    figures = {name: one for name, one in published["figures"].items() if one["accuracy"] is not None}
    start = start_below(one["intervals"]["accuracy"][0] for one in figures.values())
    trained = {name: published["rows"].get(name, published["rows"]["train"]) for name in figures}
    trained["without_punctuation"] = published["rows"]["leak_free_training"]
    bars = [{"title": TITLES[name], "train_rows": trained[name], **_bar(one, start)} for name, one in figures.items()]
    return fragment("sections/figures.html", bars=bars, start=start, sampled=published["sampled"])


def _bar(figure: Mapping[str, Any], start: float) -> dict[str, Any]:
    drawn = bar(figure["accuracy"], figure["intervals"]["accuracy"], start)
    return {**figure, "test_rows": figure["rows"], **drawn}


def _near(material: Material, shown: int) -> Markup:
    near = material.cleaning.get("near")
    if not near:
        return Markup()
    clusters = examples.near_duplicates(material.clusters, shown) if shown else []
    sizes = sections.sizes("Clusters by the number of their rows", near["by_size"]) if near["by_size"] else Markup()
    return fragment("sections/near.html", near=near, sizes=sizes, clusters=clusters)


def _contradictions(path: Path, shown: int) -> Markup:
    groups = examples.contradictions(path, shown) if shown else []
    return fragment("sections/contradictions.html", groups=groups) if groups else Markup()


def _suspects(path: Path | None, shown: int, hint: str) -> Markup:
    rows = examples.suspects(path, shown) if path and shown else []
    return fragment("sections/suspects.html", rows=rows, hint=hint) if rows else Markup()


def _cleaning(cleaning: Mapping[str, Any]) -> Markup:
    before, after, changed = cleaning["rows"]["in"], cleaning["rows"]["out"], cleaning["changed"]
    return fragment(
        "sections/cleaning.html",
        changed=changed["texts"],
        total=sum(before.values()),
        steps=[{"name": name, "texts": count} for name, count in changed.items() if name != "texts" and count],
        removed=sum(before.values()) - sum(after.values()),
        reasons=cleaning["removed"],
        splits=list(before),
        left=after,
    )
