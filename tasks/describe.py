"""Put what is known about the data on one page for people: findings first, then figures, pictures and examples.

``python -m tasks describe …`` with the paths of dvc.yaml writes ``reports/data.html``. ``wenhuo inspect`` writes the
same page for data that no project has read.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from wenhuo.settings import Section

HINT = "`wenhuo review` writes them as a table for a person to decide on, and reads the decisions back."


class Params(Section):
    """What the page shows."""

    examples: int = Field(20, ge=0, description="Rows of each kind shown with their texts; 0 shows no text at all.")


def run(
    params: Params,
    *,
    ingested: Path,
    validation: Path,
    cleaning: Path,
    audit: Path,
    clusters: Path,
    contradictions: Path,
    suspects: Path,
    page: Path,
) -> None:
    """Write the page from the reports and tables of the stages before."""
    from wenhuo.console import say
    from wenhuo.files import read_json, write_text
    from wenhuo.inspection.report import Material, render_data_report

    material = Material(
        read_json(validation),
        read_json(cleaning),
        read_json(audit),
        read_json(ingested)["reasons"],
        clusters,
        contradictions,
        suspects,
    )
    write_text(page, render_data_report(material, shown=params.examples, hint=HINT))
    found = material.findings()
    bad = [finding.sentence for finding in found if finding.level == "bad"]
    for sentence in bad[:5]:
        say(f"describe: {sentence}")
    say(f"describe: {len(found)} findings about the data → {page}")
