import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.audit.review import COLUMNS, FORMULAS, plain, read_review, safe, write_review
from wenhuo.audit.suspects import SCHEMA
from wenhuo.errors import DataError, SourceError

LABELS = ["负面", "正面", "=中性"]
TEXTS = [
    '=HYPERLINK("http://x")',
    "+86 138",
    "-1 分",
    "@某人",
    "\t制表",
    "\r回车",
    "＝全角",
    "'引号",
    '两\n行，"引"',
    "普通",
    "=cmd|'/C calc'!A0",
]


def suspects() -> pl.DataFrame:
    rows = [
        (
            f"{number:032x}",
            ["train", "test"][number % 2],
            text,
            LABELS[number % 3],
            LABELS[(number + 1) % 3],
            0.9,
            0.05,
            number + 1,
            True,
            "none",
        )
        for number, text in enumerate(TEXTS)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def written(path: Path, **more) -> list[dict[str, str]]:
    write_review(suspects(), path, **more)
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def filled(path: Path, decisions: dict[int, str], notes: dict[int, str] | None = None) -> str:
    rows = written(path)
    for number, said in decisions.items():
        rows[number]["decision"] = said
    for number, note in (notes or {}).items():
        rows[number]["note"] = note
    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return made.getvalue()


def test_no_cell_is_a_formula_and_chinese_is_seen(tmp_path: Path):
    rows = written(tmp_path / "review.csv")
    assert (tmp_path / "review.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert tuple(rows[0]) == COLUMNS
    assert not [cell for row in rows for cell in row.values() if cell.startswith(tuple(FORMULAS))]
    assert [plain(row["text"]) for row in rows] == TEXTS


@given(st.text())
def test_every_cell_comes_back(cell):
    assert plain(safe(cell)) == cell
    assert not safe(cell).startswith(tuple(FORMULAS))


def test_a_part_of_the_suspects(tmp_path: Path):
    rows = written(tmp_path / "review.csv", split="test", top=2)
    assert [plain(row["text"]) for row in rows] == [TEXTS[1], TEXTS[3]]


def test_without_rows_there_is_a_header(tmp_path: Path):
    assert write_review(suspects(), tmp_path / "review.csv", top=0) == 0
    assert read_review(tmp_path / "review.csv", LABELS) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_decisions_come_back_however_they_were_saved(tmp_path: Path, encoding, delimiter, end):
    rows = list(
        csv.reader(io.StringIO(filled(tmp_path / "r.csv", {0: "keep", 1: "删除", 2: "正面", 3: " OK "}, {1: "看不懂"})))
    )
    made = io.StringIO()
    csv.writer(made, delimiter=delimiter, lineterminator=end).writerows(rows)
    path = tmp_path / "saved.csv"
    path.write_bytes(made.getvalue().encode(encoding))
    found = {decision.id[-1]: (decision.given, decision.label, decision.note) for decision in read_review(path, LABELS)}
    assert found == {
        "0": ("负面", "负面", ""),
        "1": ("正面", "", "看不懂"),
        "2": ("=中性", "正面", ""),
        "3": ("负面", "负面", ""),
    }


def test_mistakes_are_reported_together_with_their_rows(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text(filled(path, {0: "好像对", 2: "keep", 4: "中性？"}), encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_review(path, LABELS)
    assert "2 decisions" in error.value.what
    assert "row 2: '好像对'" in error.value.what
    assert "row 6: '中性？'" in error.value.what
    assert "负面, 正面" in error.value.hint


def test_a_label_may_be_called_like_a_decision(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("id,given,decision\na,OK,ok\nb,bad,OK\nc,bad,keep\n", encoding="utf-8")
    assert [(d.given, d.label) for d in read_review(path, ["OK", "bad"])] == [
        ("OK", "OK"),
        ("bad", "OK"),
        ("bad", "bad"),
    ]


def test_two_decisions_about_one_row_contradict(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("id,given,decision\na,正面,keep\na,正面,负面\na,正面,ok\n", encoding="utf-8")
    with pytest.raises(DataError, match="row 3: decided otherwise in row 2"):
        read_review(path, LABELS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column id, given, decision"),
        (b"id,text\n1,2\n", "has no column given, decision"),
        (b"id,given,decision\n\n,\xe6\xad\xa3\xe9\x9d\xa2,keep\n", "row 3: it has no id"),
        ("id,given,decision\n1,未知,keep\n".encode(), "'未知', which is no label"),
    ],
)
def test_what_is_no_review_is_a_clear_error(tmp_path: Path, content, message):
    path = tmp_path / "r.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_review(path, LABELS)


def test_what_cannot_be_read_is_a_clear_error(tmp_path: Path):
    with pytest.raises(SourceError, match="cannot be read"):
        read_review(tmp_path / "none.csv", LABELS)
    (tmp_path / "r.csv").write_bytes(b"id,given,decision\n\xff\xff\x80\n")
    with pytest.raises(SourceError, match="neither UTF-8"):
        read_review(tmp_path / "r.csv", LABELS)
