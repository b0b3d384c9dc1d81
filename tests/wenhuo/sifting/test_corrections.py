from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.errors import DataError
from wenhuo.sifting.corrections import Correction, merge_corrections, read_corrections

HEADER = "id,given,label,note\n"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "corrections.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_lines_are_read_with_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + 'a,正,负,"反讽, 见第二句"\n\nb,负,,\n')
    assert read_corrections(path) == [Correction("a", "正", "负", "反讽, 见第二句"), Correction("b", "负", "")]
    assert [one.line for one in read_corrections(path)] == [2, 4]


@pytest.mark.parametrize("content", ["", HEADER, HEADER.rstrip(), "\ufeff" + HEADER, HEADER.replace("\n", "\r\n")])
def test_no_lines_are_no_corrections(tmp_path: Path, content: str) -> None:
    assert read_corrections(write(tmp_path, content)) == []


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffnote,label,given,id\r\n反讽, 负 ,正,a\r\n".replace("反讽,", "反讽,"))
    assert read_corrections(path) == [Correction("a", "正", "负", "反讽")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,given,label\n", r"line 1: the columns are id, given, label"),
        ("id,given,label,note,who\n", r"line 1: the columns are .*who"),
        ("id;given;label;note\n", r"line 1: the columns are id;given"),
        (HEADER + "a,正,负\n", r"line 2: 3 fields instead of 4"),
        (HEADER + "a,正,负,x,y\n", r"line 2: 5 fields instead of 4"),
        (HEADER + ",正,负,\n", r"line 2: there is no id"),
        (HEADER + 'a,正,"负,\n', r"line 2: .*"),
        (HEADER + "a,正,负,\nb,正,负,\na,正,,\n", r"line 4: row a is decided otherwise on line 2"),
        (HEADER.encode() + "a,正,负,\n".encode() + "b,正,负,\n".encode("gbk"), r"line 3: this is not UTF-8"),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=rf"corrections\.csv, {message}"):
        read_corrections(write(tmp_path, content))


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not exist\n.*id,given,label,note"):
        read_corrections(tmp_path / "corrections.csv")


def test_the_same_decision_twice_is_one(tmp_path: Path) -> None:
    assert len(read_corrections(write(tmp_path, HEADER + "a,正,负,x\na,正,负,y\n"))) == 1


def test_later_decisions_win_and_lines_are_sorted(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "b,正,负,old\nc,正,正,\n")
    assert (
        merge_corrections(path, [Correction("b", "正", "", "new"), Correction("a", "负", "正", 'he said "好", twice')])
        == 3
    )
    assert path.read_bytes().decode() == HEADER + 'a,负,正,"he said ""好"", twice"\nb,正,,new\nc,正,正,\n'


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert merge_corrections(tmp_path / "new.csv", []) == 0
    assert (tmp_path / "new.csv").read_bytes() == HEADER.encode()


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "id,label\n")
    with pytest.raises(DataError):
        merge_corrections(path, [Correction("a", "正", "负")])
    assert path.read_bytes() == b"id,label\n"


fields = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), max_size=5)


@given(st.lists(st.builds(Correction, fields.filter(bool), fields, fields, fields), max_size=8))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, decisions: list[Correction]) -> None:
    path = tmp_path_factory.mktemp("corrections") / "corrections.csv"
    merge_corrections(path, decisions)
    read = read_corrections(path)
    assert {one.id: one for one in read} == {one.id: one for one in decisions}
    assert [one.id for one in read] == sorted({one.id for one in decisions})
