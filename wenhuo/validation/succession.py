"""A data version after the one before it: what changed, what was expected of that, and the history of all versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wenhuo.validation.drift import compare, drift_batches, drift_checks
from wenhuo.validation.limits import Drift
from wenhuo.validation.own import Chosen
from wenhuo.validation.suite import Validated
from wenhuo.validation.versions import History, Version, read_history, remember

VERSIONS_SHOWN = 60  # a picture of more is no picture


def version_of(summary: Mapping[str, Any]) -> Version | None:
    """The version that a validation.json is about; None when it holds no profile, such as one of an earlier release."""
    try:
        return Version.model_validate(summary["profile"])
    except (KeyError, TypeError, ValidationError):
        return None


def top_up(path: Path, locked: Version | None, corpus: str) -> None:
    """Add the version that the last run of the graph went through with, where the history does not end with it.

    Args:
        path: the history.
        locked: that version; None where it is not known.
        corpus: the hash of the corpus at hand.
    """
    versions = read_history(path).versions
    if locked and locked.corpus != corpus and (not versions or versions[-1].corpus != locked.corpus):
        remember(path, locked.model_dump(exclude={"when"}), now=False)


def follow(validated: Validated, limits: Drift, chosen: Chosen, history: History) -> dict[str, Any]:
    """What drift.json says: verdicts and figures of the step from the previous version, and the versions so far.

    Without a previous version ``previous`` and ``changes`` are null and nothing is expected.
    """
    summary = validated.summary
    now = Version.model_validate(summary["profile"])
    before = history.before(now.corpus)
    changes = compare(before, now, validated.characters) if before else None
    verdicts = [] if changes is None else _verdicts(changes, limits, chosen)
    failed = [verdict["level"] for verdict in verdicts if not verdict["success"]]
    return {
        "corpus": now.corpus,
        "accepted": now.corpus in history.accepted,
        "errors": failed.count("error"),
        "warnings": failed.count("warning"),
        **{key: summary[key] for key in ("source", "synthetic", "rows")},
        "labels": {"number": summary["labels"]["number"]},
        "previous": None if before is None else _shown(before),
        "changes": changes,
        "expectations": verdicts,
        "versions": [_shown(version) for version in _line(history, now)],
        "unreadable": history.unreadable,
    }


def _verdicts(changes: Mapping[str, Any], limits: Drift, chosen: Chosen) -> list[dict[str, Any]]:
    """What is expected of figures that there are: labels, say, may be too many to be compared."""
    from wenhuo.validation.verdicts import hold, prepare

    batches = drift_batches(changes)
    checks = [
        check
        for check in chosen.applied(drift_checks(limits))
        if check.batch in batches and check.arguments["column"] in batches[check.batch].columns
    ]
    return [asdict(verdict) for verdict in hold(batches, checks, prepare(checks), lambda positions: [])]


def _line(history: History, now: Version) -> list[Version]:
    """The versions one after the other, this one at the end."""
    versions = history.versions
    known = [*versions, now] if not versions or versions[-1].corpus != now.corpus else versions
    return known[-VERSIONS_SHOWN:]


def _shown(version: Version) -> dict[str, Any]:
    return version.model_dump(include={"corpus", "when", "source", "rows", "labels", "quantiles"})
