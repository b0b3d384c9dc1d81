"""JSON lines, and a JSON array of objects, as a stream of records."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from wenhuo.errors import DataError
from wenhuo.reading.charset import BLOCK_BYTES, Charset
from wenhuo.reading.columns import Columns
from wenhuo.reading.labels import only_label, plain_label
from wenhuo.reading.lines import Block, read_lines
from wenhuo.reading.records import (
    BAD_JSON,
    CUT_OFF,
    MISSING_COLUMNS,
    NOT_AN_OBJECT,
    Chunk,
    Rejected,
    reject,
    settle,
    why_not_one,
)

RECORDS_FOR_NAMES = 100
CHUNK_RECORDS = 10_000
MOST_ELEMENT_CHARACTERS = 1 << 22
"""An element of an array that is not complete after this many characters is not valid JSON."""

_DECODER = json.JSONDecoder()
_NEXT_OBJECT = re.compile(r"}\s*,\s*(?={)")


class Record(NamedTuple):
    """One record: its line (in an array: its place, from 1), its value and text; ``fault`` where it has no value."""

    row: int
    value: Any
    raw: str
    fault: str = ""


def first_records(path: Path, charset: Charset) -> list[Record]:
    """The first hundred records of a file, from which its columns and its kind are told."""
    return list(islice(json_records(path, charset), RECORDS_FOR_NAMES))


def json_names(records: Sequence[Record], where: str) -> list[str]:
    """The names of the columns: those of the first records, in the order they come in; doubled ones twice.

    Raises:
        DataError: no record is an object.
    """
    names: list[str] = []
    for record in records:
        if isinstance(record.value, dict):
            keys = (
                [key for key, _ in json.loads(record.raw, object_pairs_hook=list)] if record.raw else list(record.value)
            )
            names += [key for key in dict.fromkeys(keys) if key not in names]
            names += [key for key in dict.fromkeys(keys) if keys.count(key) > names.count(key)]
    if not names:
        what = (
            f"holds no JSON objects; line {records[0].row} is {records[0].raw[:40]!r}" if records else "holds no rows"
        )
        raise DataError(f"{where} {what}", "give JSON lines, or an array of objects, each with a text and a label")
    return names


def read_json(path: Path, charset: Charset, columns: Columns) -> Iterator[Chunk]:
    """The rows of a file, a chunk at a time."""
    if _is_array(path, charset):
        records = _array_records(path, charset)
        while part := list(islice(records, CHUNK_RECORDS)):
            yield _settled(part, columns)
        return
    for block in read_lines(path, charset):
        yield _plain_block(block, columns) or _settled(_line_records(block), columns)


def _plain_block(block: Block, columns: Columns) -> Chunk | None:
    """The rows of a block in which all is as it should be: objects with a text and a label that are plain; or None.

    Nearly all blocks are so, and this way takes half the time of looking at each record.
    """
    try:
        values = [orjson.loads(line) for line in block.lines]
        texts, labels = [value[columns.text] for value in values], [value[columns.label] for value in values]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    kinds = set(map(type, labels))
    if set(map(type, texts)) != {str} or not kinds <= {str, int}:
        return None
    if int in kinds:
        spelled = {label: str(label) for label in set(labels)}
        labels = [spelled[label] for label in labels]
    return settle(texts, labels, range(block.first, block.first + len(texts)), [])


def _settled(records: Iterable[Record], columns: Columns) -> Chunk:
    texts: list[str | None] = []
    labels: list[str | None] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    blank = 0
    for record in records:
        found = _pick(record, columns)
        if isinstance(found, str):
            blank += not found
            rejected += [reject(record.row, found, record.raw or written(record.value))] if found else []
        else:
            texts.append(found[0])
            labels.append(found[1])
            rows.append(record.row)
    return settle(texts, labels, rows, rejected, blank)


def json_records(path: Path, charset: Charset) -> Iterator[Record]:
    """The records of a file of JSON lines, or those of an array when its first character is ``[``."""
    if _is_array(path, charset):
        return _array_records(path, charset)
    return (record for block in read_lines(path, charset) for record in _line_records(block))


def _is_array(path: Path, charset: Charset) -> bool:
    with path.open("rb") as file:
        file.seek(charset.mark)
        return file.read(1 << 12).decode(charset.codec, "ignore").lstrip().startswith("[")


def _pick(record: Record, columns: Columns) -> tuple[str | None, str | None] | str:
    """Text and label of a record, or why it has none ("" for an empty line)."""
    value = record.value
    if value is None and (record.fault or not record.raw):
        return record.fault
    if not isinstance(value, dict):
        return NOT_AN_OBJECT
    if columns.text not in value or columns.label not in value:
        return MISSING_COLUMNS
    text = value[columns.text]
    try:
        return text if isinstance(text, str) else plain_label(text), only_label(value[columns.label])
    except ValueError:
        return why_not_one(value[columns.label])


def _line_records(block: Block) -> Iterator[Record]:
    last = block.first + len(block.lines) - 1
    for row, line in enumerate(block.lines, start=block.first):
        if not line.strip():
            yield Record(row, None, "")
            continue
        try:
            yield Record(row, orjson.loads(line), line)
        except orjson.JSONDecodeError:
            yield Record(row, None, line, BAD_JSON if block.ended or row < last else CUT_OFF)


def _array_records(path: Path, charset: Charset) -> Iterator[Record]:
    """The elements of an array, decoded as the file is read; after an invalid one the next object is looked for."""
    buffer, row = "", 0
    for text in chain(_characters(path, charset), [""]):
        buffer, at = buffer + text, 0
        if row == 0:
            buffer = buffer.lstrip().removeprefix("[")
        while element := _element(buffer, at, final=not text):
            row += 1
            value, end, fault = element
            yield Record(row, value, buffer[at:end].strip(" \t\r\n,") if fault else "", fault)
            at = end
        buffer = buffer[at:]
    rest = buffer.lstrip(" \t\r\n,")
    if not rest.startswith("]"):
        yield Record(row + 1, None, "the array has no end", CUT_OFF)
    elif rest[1:].strip():
        yield Record(row + 1, None, rest[1:], BAD_JSON)


def _element(buffer: str, at: int, *, final: bool) -> tuple[Any, int, str] | None:
    """The next element's value, its end and what is wrong with it; None at the array's end, or if more must be read."""
    while at < len(buffer) and buffer[at] in " \t\r\n,":
        at += 1
    if buffer[at : at + 1] in ("", "]"):
        return None
    try:
        value, end = _DECODER.raw_decode(buffer, at)
    except (json.JSONDecodeError, RecursionError):
        if not final and len(buffer) - at < MOST_ELEMENT_CHARACTERS:
            return None
        following = _NEXT_OBJECT.search(buffer, at)
        return (None, following.end(), BAD_JSON) if following else (None, len(buffer), CUT_OFF if final else BAD_JSON)
    return (value, end, "") if end < len(buffer) or final else None


def _characters(path: Path, charset: Charset) -> Iterator[str]:
    """The text of a file, piece by piece, none of them empty; undecodable bytes as lone surrogates."""
    decoder = codecs.getincrementaldecoder(charset.codec)(
        "surrogatepass" if "16" in charset.codec else "surrogateescape"
    )
    with path.open("rb") as file:
        file.seek(charset.mark)
        while data := file.read(BLOCK_BYTES):
            if text := decoder.decode(data):
                yield text
    try:
        text = decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        text = "\udc80"
    if text:
        yield text


def written(value: Any) -> str:
    """A value as it may have stood in the file."""
    return json.dumps(value, ensure_ascii=False)
