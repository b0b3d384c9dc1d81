"""Decisions of people about labels: read from a small file that stands beside the code, and added to it.

The file is CSV in UTF-8 with the columns ``id``, ``given``, ``label`` and ``note``. A line says that the row ``id``,
labelled ``given``, should bear ``label``; with an empty ``label`` the row is to be taken out. A label equal to the
given one records that somebody looked and found it right. The note is free text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wenhuo.errors import DataError
from wenhuo.files import write_text

COLUMNS = ("id", "given", "label", "note")
"""The columns of the file."""


@dataclass(frozen=True)
class Correction:
    """One decision; ``label`` is empty when the row is to be taken out, ``line`` is where it stands in the file."""

    id: str
    given: str
    label: str
    note: str = ""
    line: int = field(default=0, compare=False)


def read_corrections(path: Path) -> list[Correction]:
    """The decisions in a file, one for each row id; none when it is empty or holds its header only.

    Raises:
        DataError: with the file and the line, when it is missing, is not UTF-8 or no CSV, has other columns, a line has
            no id, or two lines decide otherwise about one row.
    """
    found: dict[str, Correction] = {}
    for one in _parsed(path):
        before = found.setdefault(one.id, one)
        if (before.given, before.label) != (one.given, one.label):
            raise DataError(
                f"{path}, line {one.line}: row {one.id} is decided otherwise on line {before.line}",
                "leave one of the two lines",
            )
    return list(found.values())


def merge_corrections(path: Path, decisions: Iterable[Correction]) -> int:
    """Add decisions to a file, which is written whole or not at all, sorted by id; a later decision about a row wins.

    Returns:
        How many lines the file holds afterwards.

    Raises:
        DataError: what stands there cannot be read.
    """
    merged = {one.id: one for one in (read_corrections(path) if path.exists() else [])}
    merged |= {one.id: one for one in decisions}
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows((one.id, one.given, one.label, one.note) for _, one in sorted(merged.items()))
    write_text(path, written.getvalue())
    return len(merged)


def _parsed(path: Path) -> Iterator[Correction]:
    lines = csv.reader(io.StringIO(_read(path), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(lines, COLUMNS)]
        _check_header(path, header)
        for values in lines:
            if any(value.strip() for value in values):
                yield _correction(path, lines.line_num, header, values)
    except csv.Error as error:
        raise DataError(f"{path}, line {lines.line_num}: {error}", "close the quotation mark, or double it") from None


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", f"make it with the one line {','.join(COLUMNS)}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(f"{path}, line {line}: this is not UTF-8", "save the file as CSV in UTF-8") from None


def _check_header(path: Path, header: list[str]) -> None:
    if sorted(header) != sorted(COLUMNS):
        raise DataError(f"{path}, line 1: the columns are {', '.join(header)}", f"they must be {', '.join(COLUMNS)}")


def _correction(path: Path, line: int, header: list[str], values: list[str]) -> Correction:
    if len(values) != len(header):
        raise DataError(
            f"{path}, line {line}: {len(values)} fields instead of {len(header)}",
            "put what holds a comma into double quotation marks",
        )
    named = {name: value.strip() for name, value in zip(header, values, strict=True)}
    if not named["id"]:
        raise DataError(f"{path}, line {line}: there is no id", "name the row, or take the line out")
    return Correction(**named, line=line)
