"""XLSX workbooks: cells read the way the sheet means them, rows by the sheet's own numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from wenhuo.errors import DataError
from wenhuo.reading import archives, packing, records
from wenhuo.reading.columns import Wanted
from wenhuo.reading.formats import Reading, open_file, split_sheet

ANY = Wanted()


def _write(path: Path, *sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"第{number}页")
        for row in rows:
            sheet.append(row)
        for cells in sheet.iter_rows():
            for cell in cells:
                if cell.data_type == "f":
                    cell.data_type = "s"  # a text that begins with = and is none the less a text
    book.save(path)
    return path


def _rows(reading: Reading) -> tuple[list[tuple[int, str, str]], list[tuple[int, str]]]:
    rows, rejected = [], []
    for chunk in reading.chunks:
        rows += list(zip(chunk.rows, chunk.texts, chunk.labels, strict=True))
        rejected += [(bad.row, bad.reason) for bad in chunk.rejected]
    return rows, rejected


def _open(path: Path, wanted: Wanted = ANY) -> Reading:
    return open_file(path, path.name, None, wanted)


def test_cells_are_what_they_say(tmp_path: Path) -> None:
    path = _write(
        tmp_path / "评论 表;$(id).xlsx",
        [
            ["id", "评论", "标签"],
            [1, "=1+1", 1],
            [2, "'=cmd|' /C calc'!A0", 1.0],
            [3, "NA", "null"],
            [4, "None", True],
            [5, 3.5, "1.50"],
            [6, " 两\n行\t ", 2],
            [7, "很长" * 5000, 0],
            [8, "𠮷😀", 0],
        ],
    )
    reading = _open(path)
    assert (reading.format, reading.encoding, reading.columns) == ("xlsx", None, ("评论", "标签"))
    assert _rows(reading) == (
        [
            (2, "=1+1", "1"),
            (3, "'=cmd|' /C calc'!A0", "1"),
            (4, "NA", "null"),
            (5, "None", "true"),
            (6, "3.5", "1.50"),
            (7, " 两\n行\t ", "2"),
            (8, "很长" * 5000, "0"),
            (9, "𠮷😀", "0"),
        ],
        [],
    )


def test_row_numbers_are_the_sheets_and_gaps_are_set_apart(tmp_path: Path) -> None:
    rows = [
        [],
        [],
        [None, "text", "label"],
        [None, "好", 1],
        [],
        [None, None, 1],
        [None, "坏"],
        [None, "text", "label"],
    ]
    found, rejected = _rows(_open(_write(tmp_path / "a.xlsx", [*rows, [None, "行", 0]])))
    assert found == [(4, "好", "1"), (9, "行", "0")]
    assert rejected == [(6, records.NO_TEXT), (7, records.NO_LABEL), (8, records.HEADER_AGAIN)]


def test_many_rows_and_empty_lines(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.xlsx", [["text", "label"], *([f"第{n}条", n % 3] for n in range(9000)), [], ["尾", 1]])
    reading = _open(path)
    chunks = list(reading.chunks)
    assert sum(len(chunk.texts) for chunk in chunks) == 9001
    assert sum(chunk.blank for chunk in chunks) == 1
    assert chunks[-1].rows[-1] == 9003


def test_the_first_sheet_or_the_one_that_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.xlsx", [["text", "label"], ["一", 1]], [["text", "label"], ["二", 2]], [])
    assert _rows(_open(path))[0] == [(2, "一", "1")]
    assert _open(path).ignored == ("a.xlsx#第2页", "a.xlsx#第3页")
    assert _rows(_open(path, Wanted(sheet="第2页")))[0] == [(2, "二", "2")]
    with pytest.raises(DataError, match=r"no sheet '第9页'; sheets: 第1页, 第2页, 第3页"):
        _open(path, Wanted(sheet="第9页"))
    with pytest.raises(DataError, match="holds no rows"):
        _open(path, Wanted(sheet="第3页"))


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("a/b.xlsx#第 2 页", ("a/b.xlsx", "第 2 页")),
        ("a/b.xlsx", ("a/b.xlsx", None)),
        ("a/b#c.csv", ("a/b#c.csv", None)),
        ("b.XLSX#x", ("b.XLSX", "x")),
    ],
)
def test_sheets_in_addresses(address: str, parts: tuple[str, str | None]) -> None:
    assert split_sheet(address) == parts


def test_without_a_header(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.xlsx", [[1, "好"], [0, "坏"]])
    assert _rows(_open(path, Wanted("t", "y", ("y", "t"))))[0] == [(1, "好", "1"), (2, "坏", "0")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["text", "label", "text"], ["a", 1, "b"]], "twice"),
        ([["text", "label"]], "a header and no rows"),
        ([["a", "b", "c"], [1, 2, 3]], "no column is plainly the text; columns: a, b, c"),
    ],
)
def test_columns_in_doubt(tmp_path: Path, rows: list[list[Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        _open(_write(tmp_path / "a.xlsx", rows))


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path / "a.xlsx", [["text", "label"], *([["很" * 3000, 1]] * 50)])
    monkeypatch.setattr(packing, "ALWAYS_ALLOWED", 1000)
    monkeypatch.setattr(packing, "MOST_RATIO", 1)
    with pytest.raises(DataError, match="unpacks to more than"):
        list(archives.open_files(path, path.name, None, ANY, tmp_path))
