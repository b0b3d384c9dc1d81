"""Looking at a source before any project exists: read, hold against expectations, clean, audit, and write a report."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.audit.options import Auditing
from wenhuo.audit.review import safe
from wenhuo.audit.rows import read_cleaned
from wenhuo.console import say
from wenhuo.errors import DataError, SourceError
from wenhuo.files import PARTIAL, whole, write_json, write_text
from wenhuo.inspection.findings import Finding
from wenhuo.inspection.report import Material, render_data_report
from wenhuo.reading.account import Account
from wenhuo.reading.ingest import read_source
from wenhuo.reading.options import Options
from wenhuo.sifting.cleansing import clean_corpus
from wenhuo.sifting.outputs import Outputs
from wenhuo.sifting.rules import Rules
from wenhuo.validation.limits import Limits
from wenhuo.validation.suite import validate_corpus

TABLES = {
    "rejected": "rows that could not be read",
    "contradictions": "texts with several labels",
    "near-duplicates": "clusters of near-duplicates",
    "suspects": "labels that look wrong",
}
"""The tables written beside the page, and what they hold."""


PARAMETERS = re.compile(r"\bingest\.(text|label_names|label|columns)\b")
"""Parameters that the command has as options of the same names."""


@dataclass(frozen=True)
class Inspected:
    """What came of an inspection.

    Attributes:
        findings: the worst first.
        source: the source's name or names.
        rows: by split, ``all`` first.
        labels: how many different ones.
        page: the report.
        tables: the other files with rows in them, and how many.
    """

    findings: list[Finding]
    source: str
    rows: dict[str, int]
    labels: int
    page: Path
    tables: dict[Path, int]


def inspect_source(options: Options, output: Path, *, shown: int = 20, model: bool = True) -> Inspected:
    """Inspect a source.

    Args:
        options: the source, and how its columns are called where that leaves a doubt.
        output: the folder for ``report.html``, ``report.json`` and the tables; made when it is missing.
        shown: examples of each kind on the page; 0 shows no text.
        model: whether a linear model is trained, which finds suspected labels and measures what leaks are worth.

    Raises:
        SourceError: the source cannot be reached or read.
        DataError: a file is not what it seems, or its columns or labels are in doubt.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".inspect.", suffix=PARTIAL, dir=output.parent) as scratch:
        folder = Path(scratch)
        material = _gather(options, folder, model=model)
        page = output / "report.html"
        write_text(page, render_data_report(material, shown=shown))
        write_json(output / "report.json", _report(material))
        tables = dict(_tables(folder, output))
    summary = material.validation
    return Inspected(material.findings(), summary["source"], summary["rows"], summary["labels"]["number"], page, tables)


def _gather(options: Options, folder: Path, *, model: bool) -> Material:
    """Everything that is to be known, with the tables in ``folder``."""
    account = _read(options, folder)
    for line in account.lines():
        say(line)
    corpus, cleaned = folder / "corpus.parquet", folder / "clean.parquet"
    tables = [folder / f"{name}.parquet" for name in ("removed", "near-duplicates", "contradictions")]
    say("looking at rows, labels, lengths and copies")
    validation = validate_corpus(corpus, Limits()).summary
    cleaning = clean_corpus(Rules(), corpus, None, Outputs(cleaned, *tables))
    suspects = folder / "suspects.parquet" if model else None
    audit = _audit(corpus, cleaned, suspects) if suspects else None
    _, clusters, contradictions = tables
    return Material(validation, cleaning, audit, dict(account.reasons), clusters, contradictions, suspects)


def _read(options: Options, folder: Path) -> Account:
    """Read the source; what an error says of parameters is said of this command's options."""
    try:
        return read_source(options, folder)
    except SourceError as error:
        raise SourceError(_for_command(error.what), "name a file, a folder, a URL … (wenhuo inspect --help)") from None
    except DataError as error:
        raise DataError(_for_command(error.what), _for_command(error.hint)) from None


def _for_command(said: str) -> str:
    """What is said of a parameter of the section ``ingest``, said of the command's option of that name."""
    said = said.removeprefix("ingest.source: ")
    return PARAMETERS.sub(lambda found: f"--{found[1].replace('_', '-')}", said)


def _audit(corpus: Path, cleaned: Path, suspects: Path) -> dict[str, Any]:
    """What a linear model says of the labels, and what leaks are worth to it."""
    from wenhuo.audit.auditing import audit

    say("asking a linear model which labels look wrong")
    options = Auditing()
    tables, totals = read_cleaned(cleaned, options.max_rows)
    rows, told = audit(tables, totals, corpus, options)
    rows.write_parquet(suspects)
    return told


def _report(material: Material) -> dict[str, Any]:
    """What the page says, for machines."""
    return {
        "findings": [asdict(finding) for finding in material.findings()],
        "validation": material.validation,
        "cleaning": material.cleaning,
        "audit": material.audit,
        "rejected": material.rejected,
    }


def _tables(folder: Path, output: Path) -> Iterator[tuple[Path, int]]:
    """Write the tables for a spreadsheet; those without rows are not written, and an older one is deleted."""
    for name in TABLES:
        target = output / f"{name}.csv"
        rows = pl.read_parquet(folder / f"{name}.parquet") if (folder / f"{name}.parquet").exists() else pl.DataFrame()
        if rows.is_empty():
            target.unlink(missing_ok=True)
            continue
        texts = [column for column, kind in rows.schema.items() if kind == pl.String]
        with whole(target) as path:
            cells = [pl.col(column).map_elements(safe, return_dtype=pl.String) for column in texts]
            rows.with_columns(cells).write_csv(path, include_bom=True)
        yield target, rows.height
