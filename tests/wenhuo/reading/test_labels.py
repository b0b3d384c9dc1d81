"""One spelling for each label, and names for numeric ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from wenhuo.errors import DataError, SourceError
from wenhuo.reading.labels import label_names, plain_label, plain_text_label, read_label_names


@pytest.mark.parametrize(
    ("label", "plain"),
    [
        (" 正面\u3000", "正面"),
        ("1.0", "1"),
        ("-1.00", "-1"),
        ("1.5", "1.5"),
        ("NA", "NA"),
        ("null", "null"),
        ("\t0\r", "0"),
        ("v1.0", "v1.0"),
    ],
)
def test_texts(label: str, plain: str) -> None:
    assert plain_text_label(label) == plain


def test_typed_values() -> None:
    assert [plain_label(value) for value in (1, 1.0, "1.0", True, None, float("nan"), 2.5)] == [
        "1",
        "1",
        "1",
        "true",
        None,
        None,
        "2.5",
    ]
    for value in ([1], {"a": 1}, b"1"):
        with pytest.raises(ValueError, match="not one value"):
            plain_label(value)


def test_a_list_names_by_place_and_a_mapping_by_number() -> None:
    names = label_names(["negative", "positive"])
    assert names is not None
    assert (names.names, names.order) == ({"0": "negative", "1": "positive"}, ["negative", "positive"])
    names = label_names({"10": "c", "2": "b", "1": "a", "3": "a"})
    assert names is not None
    assert names.order == ["a", "b", "c"]
    assert names.name("3", "f") == "a"
    assert names.name("b", "f") == "b", "a label that is a name already"


def test_a_label_without_a_name_is_named() -> None:
    names = label_names(["negative", "positive"])
    assert names is not None
    with pytest.raises(DataError, match=r"train.csv, row 7: the label '2' has no name"):
        names.name("2", "train.csv, row 7")


@pytest.mark.parametrize("codec", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_file_of_names(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "class.txt"
    path.write_bytes("财经新闻\r\n 房产新闻\u3000\r\n体育新闻\r\n\r\n".encode(codec))
    assert read_label_names(path) == ["财经新闻", "房产新闻", "体育新闻"]


@pytest.mark.parametrize(
    ("content", "message"), [("", "no names"), ("a\n\nb\n", "line 2 is empty"), ("a\nb\na\n", "'a' stands there twice")]
)
def test_a_file_of_names_with_a_mistake(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "class.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_label_names(path)
    with pytest.raises(SourceError, match="no file"):
        read_label_names(tmp_path / "none.txt")
