"""The stage that writes down which version the source is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks import source
from tasks.ingest import Params
from wenhuo.errors import SourceError


def test_it_writes_the_same_bytes_until_the_source_changes(tmp_path: Path) -> None:
    file = tmp_path / "评论.csv"
    file.write_text("text,label\n好,1\n坏,0\n", encoding="utf-8")
    fingerprint = tmp_path / "data" / "source.json"
    source.run(Params(source=str(file)), fingerprint=fingerprint)
    before = fingerprint.read_bytes()
    (found,) = json.loads(before)["sources"]
    assert (found["kind"], found["files"][0]["path"], found["files"][0]["size"]) == ("local", "评论.csv", 23)
    source.run(Params(source=str(file)), fingerprint=fingerprint)
    assert fingerprint.read_bytes() == before
    file.write_text("text,label\n好,1\n坏,1\n", encoding="utf-8")
    source.run(Params(source=str(file)), fingerprint=fingerprint)
    assert fingerprint.read_bytes() != before


def test_it_leaves_nothing_when_the_source_is_away(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        source.run(Params(source=str(tmp_path / "none")), fingerprint=tmp_path / "source.json")
    assert not (tmp_path / "source.json").exists()


def test_the_sample_needs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.run(Params(), fingerprint=tmp_path / "source.json")
    assert json.loads((tmp_path / "source.json").read_bytes())["sources"][0]["kind"] == "sample"
    assert len(capsys.readouterr().out.splitlines()) == 1
