"""Columns found where there is no doubt, and listed where there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from wenhuo.errors import DataError
from wenhuo.reading.columns import Columns, Wanted, find_columns
from wenhuo.reading.formats import open_file

ANY = Wanted()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["text", "label"], ("text", "label")),
        (["label", "text_a"], ("text_a", "label")),
        (["id", "sentence", "label"], ("sentence", "label")),
        (["标签", "评论"], ("评论", "标签")),
        (["Review", "Sentiment"], ("Review", "Sentiment")),
        (["stars", "review"], ("review", "stars")),
        (["label", "短信"], ("短信", "label")),
        (["id", "title", "class", "date"], ("title", "class")),
    ],
)
def test_known_names(names: list[str], expected: tuple[str, str]) -> None:
    assert find_columns(names, Wanted(), "file.csv") == Columns(*expected)


def test_given_names_come_first() -> None:
    names = ["text", "label", "title", "stars"]
    assert find_columns(names, Wanted("title", "stars"), "f") == ("title", "stars")
    assert find_columns(names, Wanted("title"), "f") == ("title", "label")
    assert find_columns(["a", "b"], Wanted(label="a"), "f") == ("b", "a")
    assert find_columns(["text", "title", "label"], Wanted(text="title"), "f") == ("title", "label")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "c"], "no column is plainly the text"),
        (["title", "content", "label"], "several columns could be the text"),
        (["text_a", "text_b", "label"], "several columns could be the text"),
        (["text", "label", "category"], "several columns could be the label"),
        (["text", "score", "stars"], "no column is plainly the label"),
        (["text"], "no column is plainly the label"),
        (["text", "label", "label"], "twice"),
    ],
)
def test_doubt_is_an_error_that_lists_the_columns(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        find_columns(names, Wanted(), "file.csv")
    assert ", ".join(names) in error.value.what
    assert error.value.what.startswith("file.csv")


def test_an_unknown_name_is_guessed() -> None:
    with pytest.raises(DataError, match=r"no column 'txt' \(did you mean text\?\); columns: text, label") as error:
        find_columns(["text", "label"], Wanted(text="txt"), "file.csv")
    assert "ingest.text" in error.value.hint


def _labels(path: Path, wanted: Wanted = ANY) -> list[str]:
    return [label for chunk in open_file(path, path.name, None, wanted).chunks for label in chunk.labels]


def test_plain_files_have_no_header(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("一条新闻\t3\n又一条\t4\n", encoding="utf-8")
    assert _labels(path) == ["3", "4"]
    path.write_text("内容\t3\n又一条\t4\n", encoding="utf-8")
    assert _labels(path) == ["3", "4"], "a number is no column's name"
    path.write_text("新闻\t栏目\n又一条\t4\n", encoding="utf-8")
    assert _labels(path, Wanted(label="栏目")) == ["4"], "a given name makes a header"


def test_named_columns_mean_no_header(tmp_path: Path) -> None:
    wanted = Wanted(text="t", label="y", columns=("y", "t", "when"))
    path = tmp_path / "file.csv"
    path.write_text("1,好,今天\n0,坏,昨天\n", encoding="utf-8")
    assert _labels(path, wanted) == ["1", "0"]
    path.write_text("y,t,when\n1,好,今天\n", encoding="utf-8")
    assert _labels(path, wanted) == ["1"], "a header of just these names is still one"


def test_a_plain_file_of_three_fields_is_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("一\t好\t1\n二\t坏\t0\n", encoding="utf-8")
    with pytest.raises(DataError, match="columns: 一, 好, 1") as error:
        _labels(path)
    assert "ingest.columns" in error.value.hint


def test_a_csv_without_a_header_is_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("很好,1\n很坏,0\n", encoding="utf-8")
    with pytest.raises(DataError, match="columns: 很好, 1"):
        _labels(path)
    assert _labels(path, Wanted(columns=("text", "label"))) == ["1", "0"]
