"""XLSX workbooks: one sheet, its rows as a stream of chunks with the sheet's own row numbers.

Read by fastexcel (calamine, in Rust): 0.03 s to import, and every cell as text the way the sheet means it, so that 1.0
is 1 and "NA" stays "NA". The sheet is held in memory; a sheet ends at 1,048,576 rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wenhuo.errors import DataError
from wenhuo.reading.columns import Columns, Wanted
from wenhuo.reading.delimited import name_columns
from wenhuo.reading.records import HEADER_AGAIN, Chunk, reject, settle

BATCH_ROWS = 8192


class Sheet(NamedTuple):
    """A sheet: its cells (an Arrow batch of texts), column names ("" for none), first row of data, the other sheets."""

    cells: Any
    names: list[str]
    body: int
    header: bool
    others: list[str]


def load_sheet(path: Path, wanted: Wanted, where: str) -> Sheet:
    """The sheet that is wanted, or the first one; its first row that is not empty names the columns.

    Raises:
        DataError: the workbook is damaged or has no such sheet; the sheet is empty or holds a header only.
    """
    cells, others = _cells(path, wanted.sheet, where)
    first = next((row for row in range(cells.num_rows) if any(_row(cells, row))), None)
    if first is None:
        raise DataError(f"{where} holds no rows" + _among(others), "give a sheet with rows: file.xlsx#sheet")
    header, names = name_columns([value or "" for value in _row(cells, first)], wanted, always=True)
    body = first + header
    if body == cells.num_rows:
        raise DataError(f"{where} holds a header and no rows" + _among(others), "give a sheet with rows")
    return Sheet(cells, names, body, header, others)


def read_sheet(sheet: Sheet, columns: Columns) -> Iterator[Chunk]:
    """The rows of a sheet, a chunk at a time; cells below no name are not looked at."""
    places = [sheet.names.index(name) for name in columns]
    for at in range(sheet.body, sheet.cells.num_rows, BATCH_ROWS):
        part = sheet.cells.slice(at, BATCH_ROWS)
        texts, labels = (part.column(place).to_pylist() for place in places)
        yield _chunk(texts, labels, at + 1, columns if sheet.header else None, part)


def _chunk(texts: list[Any], labels: list[Any], first: int, header: Columns | None, part: Any) -> Chunk:
    kept, rejected, blank = [], [], 0
    for place, pair in enumerate(zip(texts, labels, strict=True)):
        if header is not None and pair == header:
            rejected.append(reject(first + place, HEADER_AGAIN, "\t".join(pair)))
        elif pair == (None, None) and not any(_row(part, place)):
            blank += 1
        else:
            kept.append(place)
    rows = [first + place for place in kept]
    return settle([texts[place] for place in kept], [labels[place] for place in kept], rows, rejected, blank)


def _cells(path: Path, wanted: str | None, where: str) -> tuple[Any, list[str]]:
    """The cells of a sheet as texts, from the sheet's first row on, and the names of the other sheets."""
    import fastexcel

    try:
        workbook = fastexcel.read_excel(str(path))
        names = workbook.sheet_names
        name = wanted or names[0]
        if name not in names:
            raise DataError(f"{where} has no sheet {name!r}; sheets: {', '.join(names)}", "name one of them")
        loaded = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", eager=True)
    except (fastexcel.FastExcelError, IndexError) as error:
        reason = " ".join(str(error).replace(str(path), where).split())[:200]
        raise DataError(f"{where} cannot be read as a workbook: {reason}", "save it again as .xlsx") from None
    return loaded, [other for other in names if other != name]


def _row(cells: Any, row: int) -> Sequence[str | None]:
    return [column[row].as_py() for column in cells.columns]


def _among(others: list[str]) -> str:
    return f" (other sheets: {', '.join(others)})" if others else ""
