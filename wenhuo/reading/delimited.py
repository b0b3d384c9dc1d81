"""CSV, TSV and plain ``text⇥label`` files as a stream of records with the number of the line each begins on."""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wenhuo.errors import DataError
from wenhuo.reading.charset import Charset
from wenhuo.reading.columns import PLAIN_COLUMNS, Columns, Wanted, is_header, plain_name
from wenhuo.reading.lines import Block, read_lines
from wenhuo.reading.records import (
    BAD_CHARACTERS,
    BAD_QUOTES,
    CUT_OFF,
    EXTRA_COLUMNS,
    HEADER_AGAIN,
    MISSING_COLUMNS,
    Chunk,
    Rejected,
    reject,
    settle,
)

MOST_RECORD_CHARACTERS = 1 << 20
"""A quoted field still open after this many characters never closes: its first line is rejected, the next one read."""


class Layout(NamedTuple):
    """How a delimited file is laid out.

    Attributes:
        delimiter: the character between fields.
        quotes: whether quotes enclose fields that hold a delimiter or a line end (RFC 4180).
        names: the columns, from the header or as given.
        body: the line after the header (1 without one).
    """

    delimiter: str
    quotes: bool
    names: list[str]
    body: int


class Fields(NamedTuple):
    """Records of one block: the line each begins on, its fields, and what was no record."""

    numbers: Sequence[int]
    fields: list[list[str]]
    rejected: list[Rejected]
    ended: bool


def find_layout(path: Path, charset: Charset, wanted: Wanted, *, comma: bool, where: str) -> Layout:
    """The layout of a file, from its first line that is not empty.

    With ``ingest.columns`` there is no header, unless the first line consists of just these names. Without it a CSV
    file has one; any other whose first line has two fields has one if they hold a known name or a given one.

    Raises:
        DataError: the file is empty, holds a header only, or its first line cannot be read.
    """
    delimiter, quotes = ("," if comma else "\t"), (comma if wanted.quotes is None else wanted.quotes)
    parts = split_records(read_lines(path, charset), delimiter, quotes=quotes, width=None)
    found = _first_two(parts, where, charset)
    line, (header, names) = found[0][0], name_columns(found[0][1], wanted, always=comma)
    if not quotes and is_header(names, wanted) and any(plain_name(name) != name.casefold() for name in names):
        raise DataError(f"{where}: the names of the columns stand in quotes", "set ingest.quotes to true")
    if header and len(found) == 1:
        raise DataError(f"{where} holds a header and no rows", "give a file with rows")
    return Layout(delimiter, quotes, names, line + 1 if header else 1)


def name_columns(first: Sequence[str], wanted: Wanted, *, always: bool) -> tuple[bool, list[str]]:
    """Whether the first record is a header, and the names of the columns; ``always``: such files have one."""
    names = [name.strip() for name in first]
    if wanted.columns:
        return tuple(names) == wanted.columns, list(wanted.columns)
    if not always and not is_header(names, wanted) and len(names) == len(PLAIN_COLUMNS):
        return False, list(PLAIN_COLUMNS)
    return True, names


def read_delimited(path: Path, charset: Charset, layout: Layout, columns: Columns) -> Iterator[Chunk]:
    """The rows of a file, a chunk at a time; the number of a row is that of the line it begins on."""
    text, label = layout.names.index(columns.text), layout.names.index(columns.label)
    for whole, blank in read_fields(path, charset, layout):
        texts, labels = [fields[text] for fields in whole.fields], [fields[label] for fields in whole.fields]
        yield settle(texts, labels, whole.numbers, whole.rejected, blank)


def read_fields(path: Path, charset: Charset, layout: Layout) -> Iterator[tuple[Fields, int]]:
    """The records of a file that have a field for each column, block by block, and how many lines were empty."""
    parts = split_records(
        read_lines(path, charset), layout.delimiter, quotes=layout.quotes, width=len(layout.names), body=layout.body
    )
    for part in parts:
        yield _set_apart(part, layout)


def _set_apart(part: Fields, layout: Layout) -> tuple[Fields, int]:
    """The records that have as many fields as there are columns; others are rejected, and empty lines counted.

    A header in the middle (files put together with ``cat``) is no row either.
    """
    width, header = len(layout.names), layout.names if layout.body > 1 else None
    if {len(fields) for fields in part.fields} == {width} and header not in part.fields:
        return part, 0
    numbers, records, rejected, blank = [], [], part.rejected, 0
    for number, fields in zip(part.numbers, part.fields, strict=True):
        if len(fields) == width and fields != header:
            numbers.append(number)
            records.append(fields)
        elif not fields:
            blank += 1
        else:
            cut = not part.ended and number == part.numbers[-1]
            missing = CUT_OFF if cut else MISSING_COLUMNS
            reason = HEADER_AGAIN if fields == header else EXTRA_COLUMNS if len(fields) > width else missing
            rejected.append(reject(number, reason, layout.delimiter.join(fields)))
    return Fields(numbers, records, rejected, part.ended), blank


def split_records(
    blocks: Iterable[Block], delimiter: str, *, quotes: bool, width: int | None, body: int = 1
) -> Iterator[Fields]:
    """The records in these lines, block by block; an empty line is a record of no fields.

    Args:
        blocks: the lines.
        delimiter: the character between fields.
        quotes: whether quotes enclose fields.
        width: how many fields a record has, where known: one that spans lines and has another number is none.
        body: records that begin before this line are left out.
    """
    parts = _quoted(blocks, delimiter, width) if quotes else _plain(blocks, delimiter)
    for part in parts:
        skipped = sum(number < body for number in part.numbers[: max(0, body - 1)])
        yield part._replace(numbers=part.numbers[skipped:], fields=part.fields[skipped:]) if skipped else part


def _plain(blocks: Iterable[Block], delimiter: str) -> Iterator[Fields]:
    for block in blocks:
        fields = _split(block.lines, delimiter)
        yield Fields(range(block.first, block.first + len(fields)), fields, [], block.ended)


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The fields of lines without quotes; none of an empty line."""
    return [line.split(delimiter) if line else [] for line in (line.removesuffix("\r") for line in lines)]


def _quoted(blocks: Iterable[Block], delimiter: str, width: int | None) -> Iterator[Fields]:
    """Records with quotes; the lines of one that is still open at a block's end are carried into the next."""
    csv.field_size_limit(4 * MOST_RECORD_CHARACTERS)
    lines: list[str] = []
    block = Block(1, [], ended=True)
    for block in blocks:
        first = block.first - len(lines)
        lines = lines + block.lines
        part, used = _parse(lines, first, delimiter, width, block.ended, more=True)
        yield part
        lines = lines[used:]
    if lines:
        first = block.first + len(block.lines) - len(lines)
        yield _parse(lines, first, delimiter, width, block.ended, more=False)[0]


def _parse(
    lines: list[str], first: int, delimiter: str, width: int | None, ended: bool, *, more: bool
) -> tuple[Fields, int]:
    """The records in ``lines``, and how many lines they took; ``more``: the last one may go on in lines to come."""
    part = Fields([], [], [], ended)
    numbers: list[int] = []
    records: list[list[str]] = []
    marked = [place for place, line in enumerate(lines) if '"' in line] + [len(lines)]
    at = 0
    while at < len(lines):
        plain = marked[bisect_left(marked, at)]  # lines without a quote up to here: most of them, split at once
        numbers += range(first + at, first + plain)
        records += _split(lines[at:plain], delimiter)
        at = plain
        if at == len(lines):
            break
        fields, used = _record(lines, at, delimiter)
        if not used and more and sum(map(len, lines[at:])) < MOST_RECORD_CHARACTERS:
            break
        if fields is None or (used > 1 and width is not None and len(fields) != width):
            cut = not (more or ended) and at == len(lines) - 1
            part.rejected.append(reject(first + at, CUT_OFF if cut else BAD_QUOTES, lines[at]))
            at += 1
            continue
        numbers.append(first + at)
        records.append(fields)
        at += used
    return part._replace(numbers=numbers, fields=records), at


def _record(lines: list[str], at: int, delimiter: str) -> tuple[list[str] | None, int]:
    """The record that begins with line ``at`` and how many lines it spans; (None, 0) while open, (None, 1) if none."""
    reader = csv.reader((lines[place] + "\n" for place in range(at, len(lines))), delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error as error:
        return None, 0 if "unexpected end" in str(error) else 1


def _first_two(parts: Iterable[Fields], where: str, charset: Charset) -> list[tuple[int, list[str]]]:
    """The first two records that are not empty, each with its line number (one, where there is no second)."""
    found: list[tuple[int, list[str]]] = []
    for part in parts:
        found += [(n, f) for n, f in zip(part.numbers, part.fields, strict=True) if f][:2]
        if part.rejected and (not found or part.rejected[0].row < found[0][0]):
            raise DataError(f"{where}, line {part.rejected[0].row}: {part.rejected[0].reason}", "mend the first line")
        if len(found) >= 2 or (found and part.rejected):
            break
    if not found:
        raise DataError(f"{where} holds no rows", "give a file with rows")
    if any(reject(1, "", field).reason == BAD_CHARACTERS for field in found[0][1]):
        raise DataError(
            f"{where}, line {found[0][0]}: not all of it is {charset}, which most of the file is",
            "convert the file to UTF-8 (iconv -f BIG5 -t UTF-8, for example)",
        )
    return found
