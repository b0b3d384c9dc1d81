"""Suspects as a table for a spreadsheet, and a person's decisions read back from it.

The file is CSV in UTF-8 with a byte order mark, which Excel, WPS and LibreOffice need to see Chinese. A cell that a
spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV Injection"), which reading takes off
again. What comes back may be in GB18030 or UTF-16, with semicolons or tabs: spreadsheets save that way.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from wenhuo.audit.decisions import WORDS, decide
from wenhuo.errors import DataError, SourceError
from wenhuo.files import whole
from wenhuo.sifting.corrections import Correction

COLUMNS = ("id", "split", "text", "given", "suggested", "confidence", "decision", "note")
FORMULAS = "=+-@\t\r\n＝＋－＠"
ENCODINGS = ("utf-8-sig", "gb18030")
LONGEST = 30_000
"""Characters of a cell: Excel cuts at 32,767. What is cut here is only shown, never read back."""


def write_review(suspects: pl.DataFrame, target: Path, *, split: str | None = None, top: int | None = None) -> int:
    """Write the suspects for a person to decide on, most suspect first; return how many rows were written.

    Args:
        suspects: the columns of :data:`wenhuo.audit.suspects.SCHEMA`.
        target: the CSV file; replaced when it is there.
        split: only this split's rows.
        top: only so many.
    """
    chosen = suspects.filter(pl.col("split") == split) if split else suspects
    chosen = chosen.sort("rank").head(chosen.height if top is None else top)
    rows = chosen.select(
        *COLUMNS[:5], pl.col("confidence").round(3).cast(pl.String), decision=pl.lit(""), note=pl.lit("")
    )
    with whole(target) as path, path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([safe(cell[:LONGEST]) for cell in row] for row in rows.iter_rows())
    return chosen.height


def safe(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would see a formula (or one stands there already)."""
    return f"'{cell}" if cell.startswith((*FORMULAS, "'")) else cell


def plain(cell: str) -> str:
    """What :func:`safe` was given."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith((*FORMULAS, "'")) else cell


def read_review(path: Path, labels: list[str]) -> list[Correction]:
    """The decisions in a file that :func:`write_review` wrote and a person filled in; undecided rows are left out.

    Raises:
        SourceError: the file cannot be read.
        DataError: it lacks a column, or decisions cannot be understood or contradict each other: all of them, by row.
    """
    found: dict[str, tuple[int, Correction]] = {}
    mistakes = []
    for number, row in _rows(path):
        try:
            made = decide(row["id"], plain(row["given"]), row["decision"], plain(row.get("note", "")), labels)
        except ValueError as mistake:
            mistakes.append(f"row {number}: {mistake}")
            continue
        earlier = found.setdefault(row["id"], (number, made)) if made else None
        if made and earlier and earlier[1].label != made.label:
            mistakes.append(f"row {number}: decided otherwise in row {earlier[0]}")
    if mistakes:
        shown = mistakes[:20] + ([f"and {len(mistakes) - 20} more"] if len(mistakes) > 20 else [])
        raise DataError(
            f"{path}: {len(mistakes)} decision{'s' * (len(mistakes) > 1)} cannot be used\n  " + "\n  ".join(shown),
            f"write nothing, {WORDS}, or one of the labels: {', '.join(labels[:12])}{' …' * (len(labels) > 12)}",
        )
    return [decision for _, decision in found.values()]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its number as a spreadsheet shows it, the header being row 1."""
    text = _decoded(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    csv.field_size_limit(1 << 24)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [name.strip().lower() for name in next(lines, [])]
    missing = [name for name in ("id", "given", "decision") if name not in header]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}", "`wenhuo review` writes a file that has them")
    for number, cells in enumerate(lines, start=2):
        row = dict(zip(header, (*cells, *[""] * len(header)), strict=False))
        if any(cell.strip() for cell in cells):
            yield number, row | {"id": plain(row["id"].strip()), "decision": plain(row["decision"].strip())}


def _decoded(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", "`wenhuo review` writes such a file") from None
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SourceError(f"{path} is neither UTF-8, UTF-16 nor GB18030", "save it as CSV in UTF-8")
