"""The history of data versions: appended, never rewritten, and no damage to it loses anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.errors import DataError
from wenhuo.validation.versions import accept, decode_alphabet, encode_alphabet, read_history, remember


def version(corpus: str, **changes: Any) -> dict[str, Any]:
    values = {
        "corpus": corpus,
        "source": "x.csv",
        "rows": {"all": 3, "train": 3},
        "sources": {"x": 3},
        "labels": {"好": 2, "差": 1},
        "lengths": {"4": 3},
        "quantiles": {"median": 4},
        "characters": 12,
        "alphabet": encode_alphabet(np.array([0x597D])),
    }
    return values | changes


@given(codes=st.sets(st.integers(0, 0x10FFFF)))
def test_an_alphabet_comes_back(codes: set[int]) -> None:
    assert decode_alphabet(encode_alphabet(np.array(sorted(codes), dtype=np.int64))).tolist() == sorted(codes)


def test_an_alphabet_is_compact() -> None:
    assert len(encode_alphabet(np.arange(0x4E00, 0x9FFF, 4))) < 8000  # 5,248 characters


def test_versions_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "reports/versions.jsonl"
    assert read_history(path).versions == []
    for corpus in ("one", "two"):
        remember(path, version(corpus))
    history = read_history(path)
    assert [known.corpus for known in history.versions] == ["one", "two"]
    assert history.versions[0].labels == {"好": 2, "差": 1}
    assert history.versions[0].when is not None


def test_a_corpus_is_compared_with_the_last_other_one(tmp_path: Path) -> None:
    path = tmp_path / "versions.jsonl"
    for corpus in ("one", "two", "one", "three"):
        remember(path, version(corpus))
    history = read_history(path)
    found = {corpus: history.before(corpus) for corpus in ("four", "three", "one")}
    assert {corpus: before.corpus for corpus, before in found.items() if before} == {
        "four": "three",
        "three": "one",
        "one": "three",
    }
    assert read_history(tmp_path / "none").before("one") is None


DAMAGE = {
    "cut off": lambda line: line[: len(line) // 2],
    "not JSON": lambda _: b"<<<<<<< HEAD",
    "a number": lambda _: b"7",
    "a list": lambda _: b"[]",
    "no rows": lambda line: json.dumps({k: v for k, v in json.loads(line).items() if k != "rows"}).encode(),
    "a wrong alphabet": lambda line: json.dumps(json.loads(line) | {"alphabet": "?"}).encode(),
    "an alphabet beyond Unicode": lambda line: json.dumps(json.loads(line) | {"alphabet": "/////w8="}).encode(),
    "no UTF-8": lambda _: b"\xff\xfe{}",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_line_is_named_passed_over_and_kept(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "versions.jsonl"
    for corpus in ("one", "two", "three"):
        remember(path, version(corpus))
    lines = path.read_bytes().split(b"\n")
    lines[1] = damage(lines[1])
    path.write_bytes(b"\n".join(lines))
    remember(path, version("four"))
    history = read_history(path)
    assert [known.corpus for known in history.versions] == ["one", "three", "four"]
    assert len(history.unreadable) == 1
    assert history.unreadable[0].startswith("line 2: ")
    assert path.read_bytes().split(b"\n")[:3] == lines[:3]


def test_a_cut_off_last_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "versions.jsonl"
    remember(path, version("one"))
    path.write_bytes(path.read_bytes() + b'{"corpus": "tw')
    remember(path, version("three"))
    history = read_history(path)
    assert [known.corpus for known in history.versions] == ["one", "three"]
    assert history.unreadable[0].startswith("line 2")


def report(folder: Path, **values: Any) -> Path:
    found = {"corpus": "new", "errors": 1, "accepted": False} | values
    (folder / "drift.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


def test_accepting_is_written_down_once(tmp_path: Path) -> None:
    remember(tmp_path / "versions.jsonl", version("one"))
    assert [accept(report(tmp_path)) for _ in range(2)] == ["new", "new"]
    history = read_history(tmp_path / "versions.jsonl")
    assert history.accepted == {"new"}
    assert [known.corpus for known in history.versions] == ["one"]
    assert (tmp_path / "versions.jsonl").read_bytes().count(b"\n") == 2


def test_only_what_waits_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing waits"):
        accept(tmp_path)
    with pytest.raises(DataError, match="nothing waits"):
        accept(report(tmp_path, errors=0))
    (tmp_path / "drift.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        accept(tmp_path)
    assert not (tmp_path / "versions.jsonl").exists()
