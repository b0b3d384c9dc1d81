"""Files of every format in every encoding: what was written comes back, what is damaged is set apart with a reason."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wenhuo.errors import DataError
from wenhuo.reading import records
from wenhuo.reading.columns import Wanted
from wenhuo.reading.formats import open_file

Row = tuple[str, str]

USUAL = "这家酒店的房间很干净服务态度也非常好下次还会再来早餐一般隔音太差不推荐给大家"
ANY = Wanted()
CODECS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]

# Without surrogates and NUL: these are set apart (tested below), so they cannot come back.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
CHINESE = st.sampled_from(USUAL + "，。！𠮷😀 a1\u3000\u200b\u2028\x85=\"'")
LABELS = st.sampled_from(["0", "1", "正面", "负面", "NA", "null", "None", "1.5", "a label"])


def _texts(without: str) -> st.SearchStrategy[str]:
    allowed = st.one_of(CHINESE, CHARACTERS).filter(lambda character: character not in without)
    return st.text(allowed, max_size=30)


def _rows(without: str = "") -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(_texts(without), LABELS), min_size=1, max_size=12)


def _read(path: Path, wanted: Wanted = ANY, name: str | None = None) -> tuple[list[tuple[int, str, str]], list[Any]]:
    """The rows of a file (number, text, label) and the rejected ones."""
    reading = open_file(path, name or path.name, None, wanted)
    rows, rejected = [], []
    for chunk in reading.chunks:
        rows += list(zip(chunk.rows, chunk.texts, chunk.labels, strict=True))
        rejected += chunk.rejected
    return rows, rejected


def _pairs(path: Path, wanted: Wanted = ANY) -> list[Row]:
    rows, rejected = _read(path, wanted)
    assert rejected == []
    return [(text, label) for _, text, label in rows]


def _anchored(rows: list[Row]) -> list[Row]:
    """Rows among usual Chinese: a file of nothing but the rarest characters is no text whose encoding could be told."""
    return [(USUAL * 9, "1"), *rows, (USUAL * 9, "0")]


def _write(path: Path, content: str, codec: str) -> None:
    path.write_bytes(content.encode(codec))


ROUND_TRIP = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ROUND_TRIP
@given(
    rows=_rows(), codec=st.sampled_from(CODECS), end=st.sampled_from(["\n", "\r\n"]), quoting=st.sampled_from([0, 1])
)
def test_csv_round_trip(tmp_path: Path, rows: list[Row], codec: str, end: str, quoting: int) -> None:
    rows = _anchored(rows)
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=end, quoting=quoting).writerows([("text", "label"), *rows])
    path = tmp_path / "file.csv"
    _write(path, written.getvalue(), codec)
    assert _pairs(path) == rows


@ROUND_TRIP
@given(
    rows=_rows(without="\t\n\r"),
    codec=st.sampled_from(CODECS),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.booleans(),
)
def test_tsv_round_trip(tmp_path: Path, rows: list[Row], codec: str, end: str, header: bool) -> None:
    rows = _anchored(rows)
    lines = [*(["text\tlabel"] if header else []), *(f"{text}\t{label}" for text, label in rows)]
    path = tmp_path / "file.tsv"
    _write(path, end.join(lines) + end, codec)
    assert _pairs(path) == rows


@ROUND_TRIP
@given(
    rows=_rows(),
    codec=st.sampled_from(CODECS),
    indent=st.sampled_from([None, 2]),
    array=st.booleans(),
    ascii_only=st.booleans(),
)
def test_json_round_trip(
    tmp_path: Path, rows: list[Row], codec: str, indent: int | None, array: bool, ascii_only: bool
) -> None:
    rows = _anchored(rows)
    objects = [{"label": label, "text": text} for text, label in rows]
    lines = "\n".join(json.dumps(item, ensure_ascii=ascii_only) for item in objects)
    content = json.dumps(objects, indent=indent, ensure_ascii=ascii_only) if array else lines
    path = tmp_path / "file.json"
    _write(path, content, codec)
    assert _pairs(path) == rows


@ROUND_TRIP
@given(rows=_rows())
def test_parquet_round_trip(tmp_path: Path, rows: list[Row]) -> None:
    path = tmp_path / "file.parquet"
    pl.DataFrame(rows, schema=["text", "label"], orient="row").write_parquet(path)
    assert _pairs(path) == rows


@ROUND_TRIP
@given(content=st.binary(max_size=300), extension=st.sampled_from([".csv", ".tsv", ".json", ".parquet"]))
def test_any_bytes_give_rows_or_a_plain_error(tmp_path: Path, content: bytes, extension: str) -> None:
    path = tmp_path / f"file{extension}"
    path.write_bytes(b"text,label\n" * (extension == ".csv") + content)
    try:
        rows, rejected = _read(path)
    except DataError as error:
        assert error.hint
        return
    for _, text, label in rows:
        assert label
        assert "\0" not in text + label
        assert text.encode().decode() == text
    assert all(bad.reason and len(bad.content) <= 200 for bad in rejected)
    assert [bad.content.encode("utf-8", "strict").decode() for bad in rejected] == [bad.content for bad in rejected]


@ROUND_TRIP
@given(rows=_rows(without="\t\n\r"), data=st.data())
def test_every_line_is_read_rejected_or_empty(tmp_path: Path, rows: list[Row], data: st.DataObject) -> None:
    """However a CSV file is damaged, each line belongs to a row, to a rejected row, or is empty."""
    lines = [
        "text,label",
        *(f'"{text}",{label}'.replace("\0", "") for text, label in [("前", "1"), *rows, ("后", "0")]),
    ]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(1, len(lines) - 1))
        at = data.draw(
            st.integers(0, max(0, lines[place].rfind(",")))
        )  # in the text: labels lose line ends around them
        damage = data.draw(st.sampled_from(['"', ",", '""', "\0", "\n", '"\n']))
        lines[place] = lines[place][:at] + damage + lines[place][at:]
    path = tmp_path / "file.csv"
    _write(path, "\n".join(lines) + "\n", "utf-8")
    read, rejected = _read(path)
    found = sorted([row for row, _, _ in read] + [bad.row for bad in rejected])
    physical = path.read_text(encoding="utf-8").split("\n")[:-1]
    assert len(set(found)) == len(found)
    spans = {row: text.count("\n") + label.count("\n") for row, text, label in read}
    spans |= {bad.row: bad.content.count("\n") for bad in rejected}
    covered = {line for row in found for line in range(row, row + spans.get(row, 0) + 1)}
    assert {number for number, line in enumerate(physical, start=1) if line and number > 1} <= covered


def test_line_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text('text,label\n"一\n二",1\n\n三,0\n"四\r\n\n五",1\n六,0\n', encoding="utf-8", newline="")
    rows, rejected = _read(path)
    assert rows == [(2, "一\n二", "1"), (5, "三", "0"), (6, "四\r\n\n五", "1"), (9, "六", "0")]
    assert rejected == []


def test_missing_extra_and_cut_off_lines(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_text("text\tlabel\n好\t1\n没有标签\n坏\t0\t多\n\n空标签\t \n\t1\n切断", encoding="utf-8")
    rows, rejected = _read(path)
    assert rows == [(2, "好", "1"), (7, "", "1")]
    assert [(bad.row, bad.reason) for bad in rejected] == [
        (3, records.MISSING_COLUMNS),
        (4, records.EXTRA_COLUMNS),
        (6, records.NO_LABEL),
        (8, records.CUT_OFF),
    ]
    assert rejected[1].content == "坏\t0\t多"


def test_a_header_in_the_middle_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("text,label\n好,1\ntext,label\n坏,0\n", encoding="utf-8")
    rows, rejected = _read(path)
    assert rows == [(2, "好", "1"), (4, "坏", "0")]
    assert [(bad.row, bad.reason) for bad in rejected] == [(3, records.HEADER_AGAIN)]


def test_an_undecodable_line_is_rejected_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_bytes("text\tlabel\n好\t1\n".encode() + b"\xe5\xa5\xff\xe5\t0\n" + "坏的\t0\n".encode() * 3)
    rows, rejected = _read(path)
    assert [row for row, _, _ in rows] == [2, 4, 5, 6]
    assert [(bad.row, bad.reason) for bad in rejected] == [(3, records.BAD_CHARACTERS)]
    assert "\\xff" in rejected[0].content


@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
def test_damage_in_a_column_that_is_not_used_is_no_damage(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(
        b"text,label,note\n" + (USUAL + ",1,").encode(codec) + b"\xff\n" + (USUAL + ",0,好\n").encode(codec)
    )
    assert _pairs(path) == [(USUAL, "1"), (USUAL, "0")]


def test_a_nul_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_text("text\tlabel\n好\0的\t1\n坏\t0\n", encoding="utf-8")
    rows, rejected = _read(path)
    assert rows == [(3, "坏", "0")]
    assert rejected == [records.Rejected(2, records.NUL, "好\\x00的\t1")]


@pytest.mark.parametrize("following", [200, 60_000])
@pytest.mark.parametrize("quoted", [True, False])
def test_an_unbalanced_quote_costs_its_line_only(tmp_path: Path, following: int, quoted: bool) -> None:
    """The rest of the file stands inside it: a plain reader returns one giant row, or rows shifted by half a quote."""
    rest = [f'"第{n}条，很好",1' if quoted else f"第{n}条,0" for n in range(following)]
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["text,label", "前面,1", '"没有结束,0', *rest]) + "\n", encoding="utf-8")
    rows, rejected = _read(path)
    assert len(rows) == following + 1
    assert [(bad.row, bad.reason) for bad in rejected] == [(3, records.BAD_QUOTES)]


def test_quotes_in_tsv_are_text_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_text('text\tlabel\n"好"吗\t1\n"半个引号\t0\n', encoding="utf-8")
    assert _pairs(path) == [('"好"吗', "1"), ('"半个引号', "0")]
    path.write_text('text\tlabel\n"一\t二\n三"\t1\n', encoding="utf-8")
    assert _pairs(path, Wanted(quotes=True)) == [("一\t二\n三", "1")]


def test_quoted_names_in_tsv_are_an_error_and_no_data(tmp_path: Path) -> None:
    path = tmp_path / "file.tsv"
    path.write_text('"text"\t"label"\n"好"\t"1"\n', encoding="utf-8")
    with pytest.raises(DataError, match="in quotes") as error:
        _read(path)
    assert "ingest.quotes" in error.value.hint


def test_csv_without_quotes(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text('text,label\n他说"好,1\n', encoding="utf-8")
    assert _pairs(path, Wanted(quotes=False)) == [('他说"好', "1")]
    assert _pairs(path) == [('他说"好', "1")]


@pytest.mark.parametrize("name", ["文件 a;$(touch gone).csv", "b.tsv", "c.jsonl", "d.parquet", "e.xlsx"])
def test_words_that_other_readers_take_for_something_else(tmp_path: Path, name: str) -> None:
    """Formulas, the words for nothing, numbers with leading zeros: a text is a text."""
    words = ["=1+1", "=HYPERLINK(0)", "+1", "-", "@a", "NA", "N/A", "null", "None", "nan", "007", "1e5", "True", "1.0"]
    rows = [(word, str(number % 2)) for number, word in enumerate(words)]
    path, frame = tmp_path / name, pl.DataFrame(rows, schema=["text", "label"], orient="row")
    if path.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        for place, row in enumerate([("text", "label"), *rows], start=1):
            for column, value in enumerate(row, start=1):
                cell = book.active.cell(place, column, value)
                cell.data_type = "s"
        book.save(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_csv(path, separator="," if path.suffix == ".csv" else "\t")
    assert _pairs(path) == rows


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("txt,label,date", r"no column is plainly the text; columns: txt, label, date"),
        ("text,date,stars", r"no column is plainly the label"),
        ("text,label,text", r"the column 'text' stands there twice"),
    ],
)
def test_renamed_missing_and_doubled_columns(tmp_path: Path, columns: str, message: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(f"{columns}\n好,1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        _read(path)


def test_long_texts(tmp_path: Path) -> None:
    text = "很" * 100_000 + '"，\n' + "好" * 100_000
    path = tmp_path / "file.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), (text, "1"), ("短", "0")])
    assert _pairs(path) == [(text, "1"), ("短", "0")]


def test_json_lines_of_every_bad_kind(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    lines = [
        '{"text": "好", "label": 1}',
        '{"text": "坏", "label": 0.0}',
        "{not json}",
        '{"text": null, "label": 1}',
        '{"text": "无", "label": null}',
        '{"text": "缺"}',
        '["好", 1]',
        '{"text": "多", "label": ["a", "b"]}',
        '{"text": "NA", "label": true}',
        '{"text": "half \\ud83d", "label": 1}',
        '{"text": "nul \\u0000", "label": 1}',
        "",
        '{"text": "切',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    rows, rejected = _read(path)
    assert rows == [(1, "好", "1"), (2, "坏", "0"), (9, "NA", "true")]
    assert [(bad.row, bad.reason) for bad in rejected] == [
        (3, records.BAD_JSON),
        (4, records.NO_TEXT),
        (5, records.NO_LABEL),
        (6, records.MISSING_COLUMNS),
        (7, records.NOT_AN_OBJECT),
        (8, records.SEVERAL_LABELS),
        (10, records.BAD_JSON),
        (11, records.NUL),
        (13, records.CUT_OFF),
    ]


def test_a_json_array_goes_on_after_a_bad_element(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(
        '[{"text": "一", "label": 1},\n {"text": 坏, "label": 0}, {"text": "三", "label": 1}, 4]', encoding="utf-8"
    )
    rows, rejected = _read(path)
    assert rows == [(1, "一", "1"), (3, "三", "1")]
    assert [(bad.row, bad.reason) for bad in rejected] == [(2, records.BAD_JSON), (4, records.NOT_AN_OBJECT)]


@pytest.mark.parametrize(
    "cut", ['[{"text": "一", "label": 1}, {"text": "二', '[{"text": "一", "label": 1},', '[{"text": "一", "label": 1}']
)
def test_a_json_array_that_is_cut_off(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(cut, encoding="utf-8")
    rows, rejected = _read(path)
    assert rows == [(1, "一", "1")]
    assert records.CUT_OFF in {bad.reason for bad in rejected}


def test_a_large_json_array_is_streamed(tmp_path: Path) -> None:
    rows = [(f"{USUAL}{n}", str(n % 3)) for n in range(30_000)]
    path = tmp_path / "file.json"
    path.write_text(
        json.dumps([{"text": t, "label": int(label)} for t, label in rows], ensure_ascii=False), encoding="utf-8"
    )
    assert _pairs(path) == rows


def test_parquet_labels_and_nulls(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    frame = {"text": ["一", None, "三", "四", "五"], "label": [1.0, 0.0, None, float("nan"), 2.5]}
    pl.DataFrame(frame, strict=False).write_parquet(path)
    rows, rejected = _read(path)
    assert rows == [(1, "一", "1"), (5, "五", "2.5")]
    assert [(bad.row, bad.reason) for bad in rejected] == [
        (2, records.NO_TEXT),
        (3, records.NO_LABEL),
        (4, records.NO_LABEL),
    ]


def test_parquet_categories_booleans_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pl.DataFrame({"text": ["一", "二"], "label": pl.Series(["正", "负"], dtype=pl.Categorical)}).write_parquet(path)
    assert _pairs(path) == [("一", "正"), ("二", "负")]
    pl.DataFrame({"text": ["一", "二"], "label": [True, False]}).write_parquet(path)
    assert _pairs(path) == [("一", "true"), ("二", "false")]
    pl.DataFrame({"text": ["一", "二", "三"], "label": [["a", "b"], ["c"], []]}).write_parquet(path)
    rows, rejected = _read(path)
    assert rows == [(2, "二", "c")]
    assert [bad.reason for bad in rejected] == [records.SEVERAL_LABELS, records.NO_LABEL]


def test_parquet_with_the_names_of_the_datasets_library(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["负面", "正面"], "_type": "ClassLabel"},
    }
    table = pa.table({"text": ["一", "二", "三"], "label": [1, 0, -1]})
    path = tmp_path / "file.parquet"
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}), path)
    rows, rejected = _read(path)
    assert rows == [(1, "一", "正面"), (2, "二", "负面")]
    assert [(bad.row, bad.reason) for bad in rejected] == [(3, records.NO_LABEL)]
    assert [label for _, _, label in _read(path, Wanted(named=True))[0]] == ["1", "0", "-1"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("file.csv", gzip.compress(b"text,label\n", mtime=0), "gzip"),
        ("file.tsv", b"PK\x03\x04rest", "ZIP"),
        ("file.csv", b"PAR1rest", "Parquet"),
        ("file.parquet", b"text,label\n", "not a Parquet file"),
        ("file.parquet", b"PAR1 cut off", "cannot be read as Parquet"),
        ("file.csv", b"", "empty"),
        ("file.csv", b"text,label\n", "header and no rows"),
        ("file.tsv", b"\xef\xbb\xbf", "no rows"),
        ("file.txt", b"\n\n\n", "no rows"),
        ("file.json", b"[]", "no rows"),
        ("file.json", b"nothing here", "no JSON objects"),
        ("file.xlsx", b"PK\x03\x04", "cannot be read as a workbook"),
        ("file.xlsx", b"\xd0\xcf\x11\xe0", "not an Excel workbook, whatever its name says, but an old Office"),
        ("file.docx", b"PK\x03\x04", "cannot tell its format"),
        ("file.csv", b"text,label,text\na,1,b\n", "twice"),
        ("file.jsonl", b'{"text": "a", "text": "b", "label": 1}\n', "twice"),
        ("file.csv", b"text,label\n", "no rows"),
    ],
)
def test_what_cannot_be_read_at_all_is_a_plain_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        _read(path)
    assert name in error.value.what
    assert error.value.hint
    assert str(tmp_path) not in str(error.value)


def test_a_header_that_cannot_be_decoded_says_so(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes("評論內容,標籤\n這間酒店很好,1\n那間酒店不好,0\n".encode("big5"))
    with pytest.raises(DataError, match="line 1") as error:
        _read(path)
    assert "iconv" in error.value.hint
