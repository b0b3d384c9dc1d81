"""The parameters of what is read, and the sources that they come to."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wenhuo.errors import SettingsError
from wenhuo.reading.options import Options, short_names, sources_of
from wenhuo.settings import parse_sections


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (["sample"], ["sample"]),
        (["data/raw/评论 表.csv.gz"], ["评论 表"]),
        (["../data/chnsenticorp/"], ["chnsenticorp"]),
        (["data/raw/*.csv"], ["raw"]),
        (["*.csv"], ["source"]),
        (["book.xlsx#第二页"], ["book"]),
        (["https://me:pw@a.org/b/c.csv?token=secret"], ["c"]),
        (["hf://owner/name/configuration@main"], ["name"]),
        (["a/train.csv", "b/train.csv", "c/x.csv"], ["a/train", "b/train", "x"]),
        (["raw/a*.csv", "raw/b*.csv"], ["raw-1", "raw-2"]),
    ],
)
def test_short_names(addresses: list[str], names: list[str]) -> None:
    assert short_names(addresses) == names


def test_one_several_and_named_sources() -> None:
    (one,) = sources_of(Options(source="a/b.csv", text="t", label="y", label_names={0: "坏", 1: "好"}))
    assert (one.name, one.address, one.several) == ("b", "a/b.csv", False)
    assert one.wanted[:2] == ("t", "y")
    assert one.wanted.named
    listed = sources_of(Options(source=["a.csv", "b.xlsx#第 1 页"]))
    assert [(source.name, source.address, source.wanted.sheet) for source in listed] == [
        ("a", "a.csv", None),
        ("b", "b.xlsx", "第 1 页"),
    ]
    assert all(source.several for source in listed)
    described = {"酒店": "hotels/", "书": {"source": "b.csv", "text": "内容", "label_names": ["坏", "好"]}}
    named = sources_of(Options(source=described, text="text", quotes=False, label_names="class.txt"))
    assert [(source.name, source.address) for source in named] == [("酒店", "hotels/"), ("书", "b.csv")]
    assert [source.wanted.text for source in named] == ["text", "内容"]
    assert [source.wanted.quotes for source in named] == [False, False]
    assert named[0].names_file == "class.txt"
    found = named[1].names()
    assert found is not None
    assert found.order == ["坏", "好"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "name at least one source"),
        ({}, "name at least one source"),
        (["a.csv", "a.csv"], "a.csv stands there twice"),
        (["a.csv", " "], "name a source"),
        (["hf://name"], "is not hf://owner/name"),
        ({"a": "hf://name"}, "is not hf://owner/name"),
        ({"a": {"source": "hf://name"}}, "is not hf://owner/name"),
        ({"a": {"text": "t"}}, "Field required"),
        ({"a": {"source": "a.csv", "txt": "t"}}, "Extra inputs"),
        ({" ": "a.csv"}, "should match pattern"),
        ({"a\nb": "a.csv"}, "should match pattern"),
        ({"a": {"source": "a.csv", "text": "y"}}, "source a: text and label are both the column y"),
        (3, "valid string"),
    ],
)
def test_mistakes(source: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Options(source=source, label="y")


def test_mistakes_are_named_by_their_place_in_the_file() -> None:
    values = {"ingest": {"source": {"书": {"source": "a.csv", "txt": "t"}, "酒店": 3}}}
    with pytest.raises(SettingsError) as error:
        parse_sections(values, {"ingest": Options}, where="params.yaml")
    assert "ingest.source.书.txt: unknown parameter (did you mean text?)" in error.value.what
    assert "ingest.source.酒店" in error.value.what
