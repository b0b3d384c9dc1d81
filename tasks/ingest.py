"""Read the sources into one corpus with stable row ids; set aside what cannot be read.

``python -m tasks ingest --fingerprint data/source.json --corpus data/corpus.parquet --rejected reports/rejected.parquet
--report reports/ingest.json`` (the stage ``source`` writes the fingerprint). What changed since the last version, the
one that dvc.lock still names, is written beside the report as ``changes.json``; it depends on the past, so that it is
no output of the stage.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wenhuo.console import say
from wenhuo.errors import DataError, GraphError, SourceError
from wenhuo.files import read_json, whole, write_json
from wenhuo.reading.options import Options, sources_of

if TYPE_CHECKING:
    from wenhuo.reading.account import Account

CHANGES = "changes.json"
FIRST = "dvc.lock names none"


class Params(Options):
    """What is read and how its columns and labels are called."""


def cache_beside(fingerprint: Path) -> Path:
    """Where hashes of local files are kept: beside the fingerprint, ignored by git, an output of no stage."""
    return fingerprint.parent / ".source-cache.json"


def run(params: Params, *, fingerprint: Path, corpus: Path, rejected: Path, report: Path) -> None:
    """Write the corpus, the rejected rows, a report, and beside it what changed.

    Args:
        params: the section ``ingest``.
        fingerprint: what the stage ``source`` wrote.
        corpus: Parquet: id, text, label, split, origin, row, source; metadata ``wenhuo``.
        rejected: Parquet: origin, row, reason, content, source.
        report: JSON: rows per source, file, split and label, encodings, columns, rejected rows by reason.

    Raises:
        SourceError: a source cannot be reached, or changed since the stage ``source``.
        DataError: a file is not what it seems, a label has no name, or too many rows cannot be read.
    """
    from wenhuo.reading.ingest import read_into
    from wenhuo.reading.sources import check_unchanged, readings

    if not fingerprint.is_file():
        raise SourceError(
            f"{fingerprint} does not exist", "run the stage source first, or `dvc repro`, which runs both"
        )
    sources, found, cache = sources_of(params), read_json(fingerprint), cache_beside(fingerprint)
    check_unchanged(found, sources, cache)
    with whole(corpus) as corpus_made, whole(rejected) as rejected_made:
        files = readings(sources, found, fingerprint.parent)
        account = read_into(files, sources, found, corpus_made, rejected_made)
        check_unchanged(found, sources, cache)
    write_json(report, account.report())
    for line in account.lines():
        say(line)
    _write_changes(report.with_name(CHANGES), fingerprint, corpus)
    _check(account, params, rejected)


def _write_changes(target: Path, fingerprint: Path, corpus: Path) -> None:
    """What the corpus changes against the one that dvc.lock names; where that is not known, why."""
    from wenhuo.reading.changes import compare, summary

    changes: dict[str, Any] = {"unknown": None}
    try:
        before, files = _last(corpus), _last(fingerprint)
        if before is None:
            changes["unknown"] = "DVC's cache does not hold it; `dvc pull` may bring it"
        else:
            changes |= compare(before, corpus, read_json(files) if files else None, read_json(fingerprint))
    except GraphError as error:
        changes["unknown"] = error.what
    write_json(target, changes)
    say(summary(changes))


def _last(path: Path) -> Path | None:
    """What the stage read or wrote at this path last time, in DVC's cache."""
    if not Path("dvc.lock").is_file():
        raise GraphError(FIRST)  # before DVC is imported, which takes half a second
    from wenhuo.graph import lock_order, locked_content

    if "ingest" not in lock_order(Path()):
        raise GraphError(FIRST)
    return locked_content(Path(), "ingest", path.as_posix())


def _check(account: Account, params: Params, rejected: Path) -> None:
    bad, total = account.rejected, account.rows + account.rejected
    if bad > params.max_rejected * total:
        why = ", ".join(f"{reason} {count:,}" for reason, count in account.reasons.most_common())
        raise DataError(
            f"{bad:,} of {total:,} rows of {account.source} cannot be read ({why}), more than ingest.max_rejected"
            f" = {params.max_rejected:g} allows",
            f"look at {rejected}, then mend the source or raise ingest.max_rejected",
        )
    if not account.rows:
        raise DataError(f"{account.source} holds no rows that can be read", "give a source with labelled texts")
