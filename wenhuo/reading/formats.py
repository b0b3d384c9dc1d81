"""One file, whatever its format and encoding: what it is, which columns are used, and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wenhuo.errors import DataError
from wenhuo.reading.charset import detect_charset
from wenhuo.reading.columns import Columns, Wanted, find_columns
from wenhuo.reading.delimited import find_layout, read_delimited
from wenhuo.reading.jsonrecords import json_names, read_json
from wenhuo.reading.records import Chunk

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""Format by extension. TSV is also plain ``text⇥label``."""

_MAGIC = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"(\xb5/\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"ARROW1", "Arrow"),
    (b"SQLite format 3\0", "an SQLite database"),
)


@dataclass(frozen=True)
class Reading:
    """A file being read.

    Attributes:
        origin: its name relative to the source.
        split: train, validation, test, or None for an undivided one.
        format: csv, tsv, json, parquet or hub.
        encoding: of its text; None where the format fixes it.
        columns: the columns used.
        chunks: its rows; can be read once.
        names: names of the labels 0, 1, … that the file itself brings.
        ignored: parts of the source that are not read, where that is known only now.
    """

    origin: str
    split: str | None
    format: str
    encoding: str | None
    columns: Columns
    chunks: Iterator[Chunk]
    names: list[str] | None = None
    ignored: tuple[str, ...] = ()


def file_format(name: str) -> str | None:
    """The format that a file's name promises; None for an extension that is none of ours."""
    return FORMATS.get(Path(name).suffix.lower())


def open_file(path: Path, origin: str, split: str | None, wanted: Wanted) -> Reading:
    """Look at the beginning of a file, so that its rows can be read.

    Raises:
        DataError: its content is not what its name says, it is empty, or its columns are in doubt.
    """
    kind = file_format(origin)
    _check_content(path, origin, kind)
    if kind == "parquet":
        return _open_parquet(path, origin, split, wanted)
    charset = detect_charset(path, origin)
    if kind == "json":
        columns = find_columns(json_names(path, charset, origin), wanted, origin)
        chunks = read_json(path, charset, columns)
    else:
        layout = find_layout(path, charset, wanted, comma=kind == "csv", where=origin)
        columns = find_columns(layout.names, wanted, origin)
        chunks = read_delimited(path, charset, layout, columns)
    return Reading(origin, split, str(kind), str(charset), columns, chunks)


def _open_parquet(path: Path, origin: str, split: str | None, wanted: Wanted) -> Reading:
    from wenhuo.reading.arrowrecords import class_names, open_parquet, read_parquet

    file = open_parquet(path, origin)
    columns = find_columns(file.schema_arrow.names, wanted, origin)
    names = None if wanted.named else class_names(file.schema_arrow.metadata, columns.label)
    return Reading(origin, split, "parquet", None, columns, read_parquet(file, columns, names, origin), names)


def _check_content(path: Path, origin: str, kind: str | None) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise DataError(f"{origin} is empty", "give a file with rows")
    found = next((what for magic, what in _MAGIC if head.startswith(magic)), None)
    if kind is None:
        known = ", ".join(FORMATS)
        raise DataError(
            f"{origin}: cannot tell its format by its name" + (f" ({found} inside)" if found else ""),
            f"known are {known}",
        )
    if found and (kind, found) != ("parquet", "Parquet"):
        hint = "give it the extension .parquet" if found == "Parquet" else "unpack or convert it first"
        raise DataError(f"{origin} is {found} inside, whatever its name says", hint)
    if kind == "parquet" and not found:
        raise DataError(
            f"{origin} is not a Parquet file, whatever its name says", "give it the extension of its format"
        )
