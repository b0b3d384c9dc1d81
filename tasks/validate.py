"""Hold the corpus against a suite of expectations; errors stop the graph, warnings are reported.

``python -m tasks validate --corpus data/corpus.parquet --report reports/validation.json
--page reports/validation.html``

Both reports are written before the stage fails, so that what is wrong can be looked up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wenhuo.console import say
from wenhuo.errors import ValidationError
from wenhuo.files import write_json, write_text
from wenhuo.quality.limits import Limits


class Params(Limits):
    """The ``validate`` section: the limits between what is well, what is reported and what stops the graph."""


def run(params: Params, *, corpus: Path, report: Path, page: Path) -> None:
    """Validate a corpus.

    Args:
        params: the limits.
        corpus: the Parquet file that ``ingest`` wrote.
        report: JSON with every expectation and the figures, for machines.
        page: the same as one HTML page, for people.

    Raises:
        ValidationError: an expectation of level ``error`` is not met.
    """
    from wenhuo.quality.expectations import all_checks
    from wenhuo.quality.measures import measure, measure_declared, measure_fields
    from wenhuo.quality.report import render_report
    from wenhuo.quality.summary import summarise
    from wenhuo.quality.tables import read_about
    from wenhuo.quality.verdicts import hold
    from wenhuo.quality.wording import observed, plural

    about = read_about(corpus)
    label_order = about.get("label_order")
    table = measure(corpus, label_order)
    fields, declared = measure_fields(corpus), measure_declared(table, label_order)
    verdicts = hold(table, fields, declared, all_checks(params, label_order))
    summary = summarise(table, verdicts, about=about, max_labels=params.max_labels)
    write_json(report, summary)
    write_text(page, render_report(summary))
    say(
        f"validate: {plural(len(verdicts), 'expectation')}, {plural(summary['errors'], 'error')}, "
        f"{plural(summary['warnings'], 'warning')} → {page}"
    )
    broken = [
        f"{one['name']} ({observed(one)}{_first(one)})"
        for one in summary["expectations"]
        if one["level"] == "error" and not one["success"]
    ]
    if broken:
        raise ValidationError(
            f"the corpus breaks {plural(len(broken), 'expectation')}: {'; '.join(broken)}",
            f"{page} says more; mend the source, or the limits in params.yaml under validate",
        )


def _first(expectation: dict[str, Any]) -> str:
    """Where the first offending row stands."""
    offenders = expectation.get("offenders") or []
    return f", the first is {offenders[0]['origin']} row {offenders[0]['row']}" if offenders else ""
