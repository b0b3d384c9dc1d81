"""Hold the corpus against a suite of expectations; errors stop the graph, warnings are reported.

``python -m tasks validate --corpus data/corpus.parquet --expectations expectations.yaml
--report reports/validation.json --page reports/validation.html``

All reports are written before the stage fails, so that what is wrong can be looked up. Beside the two outputs,
drift.json and drift.html say how this data version differs from the one before it: they depend on what ran here before,
and so are no outputs of the graph.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wenhuo.console import say
from wenhuo.errors import GraphError, ValidationError
from wenhuo.files import read_json, write_json, write_text
from wenhuo.validation.limits import Limits

if TYPE_CHECKING:
    from wenhuo.validation.suite import Validated
    from wenhuo.validation.versions import Version


class Params(Limits):
    """The ``validate`` section: the limits between what is well, what is reported and what stops the graph."""


def run(params: Params, *, corpus: Path, expectations: Path, report: Path, page: Path) -> None:
    """Validate a corpus.

    Args:
        params: the limits.
        corpus: the Parquet file that ``ingest`` wrote.
        expectations: levels of the built-in expectations, and expectations of one's own.
        report: JSON with every expectation and the figures, for machines.
        page: the same as one HTML page, for people.

    Raises:
        SettingsError: there are mistakes in ``expectations``.
        ValidationError: an expectation of level ``error`` is not met.
    """
    from wenhuo.pages.wording import plural
    from wenhuo.validation.report import render_report
    from wenhuo.validation.suite import validate_corpus

    validated = validate_corpus(corpus, params, expectations)
    summary = validated.summary
    write_json(report, summary)
    write_text(page, render_report(summary))
    say(f"validate: {_verdict(summary)} → {page}")
    drift = _follow(params, validated, expectations, report)
    broken = _broken(summary)
    if broken:
        raise ValidationError(
            f"the corpus breaks {plural(len(broken), 'expectation')}: {'; '.join(broken)}",
            f"{page} says more; mend the source, the limits in params.yaml under validate, or {expectations}",
        )
    strayed = [] if drift["accepted"] else _broken(drift)
    if strayed:
        raise ValidationError(
            f"this data version differs from the one before it: {'; '.join(strayed)}",
            f"{report.with_name('drift.html')} says more; if it may, `wenhuo accept` and run again",
        )
    _remember(summary, report)


def _follow(params: Params, validated: Validated, expectations: Path, report: Path) -> dict[str, Any]:
    """Compare with the previous version, write down what came of it and say it."""
    from wenhuo.validation.drift_page import render_drift
    from wenhuo.validation.own import read_expectations
    from wenhuo.validation.succession import follow, top_up
    from wenhuo.validation.versions import DRIFT_PAGE, DRIFT_REPORT, HISTORY, read_history

    path = report.with_name(HISTORY)
    top_up(path, _locked_version(report), validated.summary["profile"]["corpus"])
    history = read_history(path)
    for line in history.unreadable:
        say(f"validate: {path}, {line}; the line stays, and is passed over")
    drift = follow(validated, params.drift, read_expectations(expectations), history)
    write_json(report.with_name(DRIFT_REPORT), drift)
    write_text(report.with_name(DRIFT_PAGE), render_drift(drift))
    if drift["previous"] is None:
        say("validate: no earlier data version is known here, so nothing to compare with")
    else:
        accepted = ", accepted" if drift["accepted"] and drift["errors"] else ""
        say(f"validate: against the previous version {_verdict(drift)}{accepted} → {report.with_name(DRIFT_PAGE)}")
    return drift


def _locked_version(report: Path) -> Version | None:
    """The version that dvc.lock knows, from DVC's cache: the one that the graph last went through with."""
    from wenhuo.graph import locked_content
    from wenhuo.validation.succession import version_of

    try:
        kept = locked_content(Path(), "validate", report.as_posix())
        return version_of(read_json(kept)) if kept else None
    except (GraphError, ValueError):
        return None


def _remember(summary: dict[str, Any], report: Path) -> None:
    """Add the version to the history, unless it ends with it."""
    from wenhuo.validation.versions import HISTORY, read_history, remember

    versions = read_history(report.with_name(HISTORY)).versions
    if not versions or versions[-1].corpus != summary["profile"]["corpus"]:
        remember(report.with_name(HISTORY), summary["profile"])


def _verdict(found: dict[str, Any]) -> str:
    from wenhuo.pages.wording import plural

    number = plural(len(found["expectations"]), "expectation")
    return f"{number}, {plural(found['errors'], 'error')}, {plural(found['warnings'], 'warning')}"


def _broken(found: dict[str, Any]) -> list[str]:
    """The expectations of level ``error`` that are not met, with what was observed and the first offending row."""
    from wenhuo.pages.wording import observed

    failed = (one for one in found["expectations"] if one["level"] == "error" and not one["success"])
    return [f"{one['name']} ({observed(one)}{_first(one)})" for one in failed]


def _first(expectation: dict[str, Any]) -> str:
    offenders = expectation.get("offenders") or []
    return f", the first is {offenders[0]['origin']} row {offenders[0]['row']}" if offenders else ""
