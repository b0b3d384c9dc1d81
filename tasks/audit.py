"""Look for wrong labels, and measure what leaks do to a score.

Every row is judged by a linear model that did not see it: train rows out of fold, validation and test rows by a model
of all train rows. `reports/suspects.parquet` lists the rows whose label is doubtful, most suspect first; a person
decides with `wenhuo review`. With `wrong_labels: drop` or `relabel` the column `action` tells `encode` what to do with
the flagged train rows. Labels of validation and test are never changed by a machine.

Where the source has a test set of its own, `reports/audit.json` also holds the score of one linear model as published,
on the leak-free part, trained without leaks, and without punctuation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wenhuo.audit.options import Auditing


class Params(Auditing):
    """How suspects are looked for, and what happens to those among the train rows."""


def run(params: Params, *, corpus: Path, parts: Path, corrections: Path, suspects: Path, report: Path) -> None:
    """Write the suspects and the figures."""
    from wenhuo.audit.auditing import audit
    from wenhuo.audit.rows import read_parts, settled_ids
    from wenhuo.files import write_json
    from wenhuo.tables import write_table

    tables, totals = read_parts(parts, params.max_rows)
    rows, told = audit(tables, totals, corpus, params, settled_ids(corrections))
    write_table(suspects, rows)
    write_json(report, told)
    _tell(told, params)


def _tell(told: dict[str, Any], params: Params) -> None:
    from wenhuo.console import say

    found = told["suspects"]
    if found["reason"]:
        say(f"audit: no labels were judged: {found['reason']}")
    else:
        flagged = ", ".join(f"{rows:,} {split}" for split, rows in found["flagged"].items())
        say(f"audit: flagged as perhaps wrongly labelled: {flagged}; `wenhuo review` writes them for a person")
    for split, rows in found["looked_at"].items():
        if rows < found["rows"][split]:
            say(f"audit: looked at {rows:,} of {found['rows'][split]:,} {split} rows, a sample (audit.max_rows)")
    if found["unjudged_labels"]:
        say(f"audit: not judged, too few texts: {_names(found['unjudged_labels'])}")
    if found["changed"]:
        say(f"audit: {found['changed']:,} train rows: {params.wrong_labels}")
    _tell_figures(told["published"])


def _names(labels: dict[str, int], most: int = 3) -> str:
    more = f" and {len(labels) - most} more labels" if len(labels) > most else ""
    return ", ".join(f"{label} ({rows})" for label, rows in list(labels.items())[:most]) + more


def _tell_figures(published: dict[str, Any] | None) -> None:
    from wenhuo.console import say

    if published is None:
        return
    accuracy = {name: figures["accuracy"] for name, figures in published["figures"].items()}
    shown = ", ".join(f"{value:.1%} {name.replace('_', ' ')}" for name, value in accuracy.items() if value is not None)
    say(f"audit: accuracy of a linear model on the published test set: {shown}")
