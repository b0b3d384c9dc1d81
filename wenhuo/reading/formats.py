"""One plain file, whatever its format and encoding: what it is, which columns are used, and its rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wenhuo.errors import DataError
from wenhuo.reading.annotations import (
    content_names,
    flat_export,
    is_task_export,
    read_flat_csv,
    read_flat_json,
    read_tasks,
    task_columns,
)
from wenhuo.reading.charset import Charset, detect_charset
from wenhuo.reading.columns import Columns, Wanted, find_columns
from wenhuo.reading.delimited import find_layout, read_delimited
from wenhuo.reading.jsonrecords import first_records, json_names, read_json
from wenhuo.reading.packing import PACKINGS, what_is_inside
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
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".zip": "zip",
}
"""Format by extension. TSV is also plain ``text⇥label``."""

_BINARY = {
    "parquet": ("Parquet", "a Parquet file", "give it the extension of its format"),
    "xlsx": ("a ZIP archive or an Excel workbook", "an Excel workbook", "save it as .xlsx, without a password"),
    "zip": ("a ZIP archive or an Excel workbook", "a ZIP archive", "pack it again, as .zip"),
}


@dataclass(frozen=True)
class Reading:
    """A file being read.

    Attributes:
        origin: its name relative to the source.
        split: train, validation, test, or None for an undivided one.
        format: csv, tsv, json, parquet, xlsx or hub; with the annotation tool that exported it, if one did.
        encoding: of its text; None where the format fixes it.
        columns: the columns used.
        chunks: its rows; can be read once.
        names: names of the labels 0, 1, … that the file itself brings.
        ignored: parts of the source that are not read, where that is known only now.
        source: the name of the source it belongs to.
    """

    origin: str
    split: str | None
    format: str
    encoding: str | None
    columns: Columns
    chunks: Iterator[Chunk]
    names: list[str] | None = None
    ignored: tuple[str, ...] = ()
    source: str = ""


def file_format(name: str) -> str | None:
    """The format that a file's name promises, unpacked (``a.csv.gz``: csv); None where it promises none of ours."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    if suffixes and suffixes[-1] in PACKINGS:
        suffixes.pop()
        return None if suffixes[-1:] == [".zip"] else FORMATS.get(suffixes[-1]) if suffixes else None
    return FORMATS.get(suffixes[-1]) if suffixes else None


def bare_name(name: str) -> str:
    """A file's name without the extensions of its format and packing, and without its folders."""
    path = PurePosixPath(name)
    if path.suffix.lower() in PACKINGS:
        path = path.with_suffix("")
    return path.stem if path.suffix.lower() in FORMATS else path.name


def split_sheet(address: str) -> tuple[str, str | None]:
    """An address, and the sheet that ``reviews.xlsx#sheet`` names."""
    path, _, sheet = address.partition("#")
    return (path, sheet) if sheet and file_format(path) == "xlsx" else (address, None)


def open_file(path: Path, origin: str, split: str | None, wanted: Wanted) -> Reading:
    """Look at the beginning of a file, so that its rows can be read.

    Raises:
        DataError: its content is not what its name says, it is empty, or its columns are in doubt.
    """
    kind = file_format(origin)
    _check_content(path, origin, kind)
    if kind == "parquet":
        return _open_parquet(path, origin, split, wanted)
    if kind == "xlsx":
        return _open_workbook(path, origin, split, wanted)
    charset = detect_charset(path, origin)
    if kind == "json":
        return _open_json(path, charset, origin, split, wanted)
    layout = find_layout(path, charset, wanted, comma=kind == "csv", where=origin)
    if tool := flat_export(layout.names):
        columns = find_columns(content_names(layout.names, wanted), wanted, origin)
        chunks = read_flat_csv(path, charset, layout, columns, tool)
        return Reading(origin, split, f"{kind} ({tool})", str(charset), columns, chunks)
    columns = find_columns(layout.names, wanted, origin)
    return Reading(origin, split, str(kind), str(charset), columns, read_delimited(path, charset, layout, columns))


def _open_json(path: Path, charset: Charset, origin: str, split: str | None, wanted: Wanted) -> Reading:
    records = first_records(path, charset)
    if is_task_export(records):
        columns = task_columns(records, wanted, origin)
        chunks = read_tasks(path, charset, columns)
        return Reading(origin, split, "json (Label Studio)", str(charset), columns, chunks)
    names = json_names(records, origin)
    if tool := flat_export(names):
        columns = find_columns(content_names(names, wanted), wanted, origin)
        chunks = read_flat_json(path, charset, columns, tool)
        return Reading(origin, split, f"json ({tool})", str(charset), columns, chunks)
    columns = find_columns(names, wanted, origin)
    return Reading(origin, split, "json", str(charset), columns, read_json(path, charset, columns))


def _open_parquet(path: Path, origin: str, split: str | None, wanted: Wanted) -> Reading:
    from wenhuo.reading.arrowrecords import class_names, open_parquet, read_parquet

    file = open_parquet(path, origin)
    columns = find_columns(file.schema_arrow.names, wanted, origin)
    names = None if wanted.named else class_names(file.schema_arrow.metadata, columns.label)
    return Reading(origin, split, "parquet", None, columns, read_parquet(file, columns, names, origin), names)


def _open_workbook(path: Path, origin: str, split: str | None, wanted: Wanted) -> Reading:
    from wenhuo.reading.workbook import load_sheet, read_sheet

    sheet = load_sheet(path, wanted, origin)
    columns = find_columns([name for name in sheet.names if name], wanted, origin)
    ignored = tuple(f"{origin}#{other}" for other in sheet.others)
    return Reading(origin, split, "xlsx", None, columns, read_sheet(sheet, columns), ignored=ignored)


def _check_content(path: Path, origin: str, kind: str | None) -> None:
    found = what_is_inside(path)
    if found == "":
        raise DataError(f"{origin} is empty", "give a file with rows")
    if kind is None:
        raise DataError(
            f"{origin}: cannot tell its format by its name" + (f" ({found} inside)" if found else ""),
            f"known are {', '.join(FORMATS)}, each also packed as {', '.join(PACKINGS)}",
        )
    inside, called, hint = _BINARY.get(kind, (None, "", ""))
    if inside and found != inside:
        raise DataError(f"{origin} is not {called}, whatever its name says" + (f", but {found}" if found else ""), hint)
    if found and not inside:
        extension = {"Parquet": ".parquet", "a ZIP archive or an Excel workbook": ".zip or .xlsx"}.get(found)
        hint = f"give it the extension {extension}" if extension else "unpack or convert it first"
        raise DataError(f"{origin} is {found} inside, whatever its name says", hint)
