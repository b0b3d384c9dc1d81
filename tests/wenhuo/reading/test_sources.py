"""Which version a source is, and that just this version is read."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from wenhuo.errors import SourceError
from wenhuo.reading import local, sources
from wenhuo.reading.options import Options, sources_of

Rows = list[tuple[str, str | None, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name and file names would not survive a shell, changed long ago."""
    made = tmp_path / "我的 数据;$(touch gone)"
    made.mkdir()
    (made / "train 评论;$(id).csv").write_text("text,label\n好,1\n坏,0\n", encoding="utf-8")
    (made / "dev.tsv").write_text("text\tlabel\n行\t1\n", encoding="utf-8")
    (made / "class.txt").write_text("负面\n正面\n", encoding="utf-8")
    _age(*made.iterdir())
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".source-cache.json"


def _age(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (path.stat().st_mtime - 100,) * 2)


def _look(source: Any, label_names: str | None, cache: Path) -> dict[str, Any]:
    found = sources.fingerprint(sources_of(Options(source=source, label_names=label_names)), cache)
    (only,) = found["sources"]
    return only


def _check(found: dict[str, Any], source: Any, label_names: str | None, cache: Path) -> None:
    sources.check_unchanged({"sources": [found]}, sources_of(Options(source=source, label_names=label_names)), cache)


def _read(source: str, found: dict[str, Any], scratch: Path) -> Rows:
    rows: Rows = []
    for reading in sources.readings(sources_of(Options(source=source)), {"sources": [found]}, scratch):
        for chunk in reading.chunks:
            rows += [(reading.origin, reading.split, *row) for row in zip(chunk.texts, chunk.labels, strict=True)]
    return rows


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("sample", "sample"),
        ("data/my file.csv", "local"),
        ("file:///a/b.csv", "local"),
        ("./sample", "local"),
        ("https://example.org/a.csv", "url"),
        ("s3://bucket/folder", "url"),
        ("hf://owner/name", "hub"),
    ],
)
def test_kinds(source: str, kind: str) -> None:
    assert sources.source_kind(source) == kind


def test_a_folder_is_read_by_split(folder: Path, cache: Path) -> None:
    found = _look(str(folder), None, cache)
    assert [file["path"] for file in found["files"]] == ["train 评论;$(id).csv", "dev.tsv"]
    assert found["ignored"] == ["class.txt"]
    assert _read(str(folder), found, cache.parent) == [
        ("train 评论;$(id).csv", "train", "好", "1"),
        ("train 评论;$(id).csv", "train", "坏", "0"),
        ("dev.tsv", "validation", "行", "1"),
    ]
    assert not (folder.parent / "gone").exists()


def test_a_single_file_is_undivided(folder: Path, cache: Path) -> None:
    source = str(folder / "dev.tsv")
    assert _read(source, _look(source, None, cache), cache.parent) == [("dev.tsv", None, "行", "1")]


def test_the_fingerprint_is_that_of_the_content(folder: Path, cache: Path) -> None:
    before = _look(str(folder), str(folder / "class.txt"), cache)
    assert str(cache.parent) not in str(before)
    (folder / "dev.tsv").touch()
    assert _look(str(folder), str(folder / "class.txt"), cache) == before, "a new date is no new version"
    (folder / "dev.tsv").write_text("text\tlabel\n否\t1\n", encoding="utf-8")
    changed = _look(str(folder), str(folder / "class.txt"), cache)
    assert [a != b for a, b in zip(before["files"], changed["files"], strict=True)] == [False, True]
    (folder / "class.txt").write_text("坏\n好\n", encoding="utf-8")
    assert _look(str(folder), str(folder / "class.txt"), cache)["label_names"] != changed["label_names"]
    (folder / "test.csv").write_text("text,label\n好,1\n", encoding="utf-8")
    assert len(_look(str(folder), None, cache)["files"]) == 3


def test_an_unchanged_file_is_not_read_again(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _look(str(folder), None, cache)

    def hashed(path: Path) -> str:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(local, "sha256", hashed)
    began = time.perf_counter()
    assert _look(str(folder), None, cache) == found
    assert time.perf_counter() - began < 1
    (folder / "dev.tsv").write_text("text\tlabel\n否\t1\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="read again"):
        _look(str(folder), None, cache)


def test_a_file_changed_a_moment_ago_is_not_trusted(folder: Path, cache: Path) -> None:
    """Two changes within one tick of the clock look alike: same size, same time, same inode."""
    path = folder / "dev.tsv"
    path.write_text("text\tlabel\n一\t1\n", encoding="utf-8")
    before, stamp = _look(str(folder), None, cache), path.stat()
    path.write_text("text\tlabel\n二\t1\n", encoding="utf-8")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert _look(str(folder), None, cache) != before


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": [1]}'])
def test_a_damaged_cache_is_made_again(folder: Path, cache: Path, content: str) -> None:
    found = _look(str(folder), None, cache)
    cache.write_text(content)
    assert _look(str(folder), None, cache) == found


def test_a_source_that_changed_in_between_is_refused(folder: Path, cache: Path) -> None:
    found = _look(str(folder), None, cache)
    _check(found, str(folder), None, cache)
    (folder / "dev.tsv").write_text("text\tlabel\n否\t1\n", encoding="utf-8")
    with pytest.raises(SourceError, match="changed after"):
        _check(found, str(folder), None, cache)
    with pytest.raises(SourceError, match="changed after"):
        _check(found, "hf://owner/name", None, cache)


def test_what_is_not_there_is_a_plain_error(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(SourceError, match=r"no file or folder none\.csv") as error:
        _look("none.csv", None, cache)
    assert "--downstream" in error.value.hint
    with pytest.raises(SourceError, match="label_names: there is no file"):
        _look("sample", "none.txt", cache)


def test_the_sample_is_read_like_a_folder(cache: Path) -> None:
    found = _look("sample", None, cache)
    assert all(file["version"].startswith("sha256:") for file in found["files"])
    rows = _read("sample", found, cache.parent)
    assert {split for _, split, _, _ in rows} == {"train", "validation", "test"}
    assert all(origin.startswith("sample/") for origin, _, _, _ in rows)
    assert sorted(path.name for path in cache.parent.iterdir()) == [".source-cache.json"], "nothing is left behind"


def _corpus_rows(given: Any, cache: Path) -> list[tuple[str, str, str | None, str]]:
    """Source, origin, split and text of every row."""
    chosen = sources_of(Options(source=given))
    found = sources.fingerprint(chosen, cache)
    rows = []
    for reading in sources.readings(chosen, found, cache.parent):
        rows += [(reading.source, reading.origin, reading.split, text) for c in reading.chunks for text in c.texts]
    return rows


def test_several_sources_keep_their_names(folder: Path, cache: Path, tmp_path: Path) -> None:
    one = tmp_path / "书 test.csv"
    one.write_text("text,label\n书,1\n", encoding="utf-8")
    expected = [
        ("甲", "train 评论;$(id).csv", "train", "好"),
        ("甲", "train 评论;$(id).csv", "train", "坏"),
        ("甲", "dev.tsv", "validation", "行"),
        ("乙", "书 test.csv", "test", "书"),
    ]
    assert _corpus_rows({"甲": str(folder), "乙": {"source": str(one)}}, cache) == expected
    assert [row[0] for row in _corpus_rows([str(folder), str(one)], cache)] == [folder.name] * 3 + ["书 test"]
    assert _corpus_rows(str(one), cache) == [("书 test", "书 test.csv", None, "书")], "alone, its name says no split"


def test_globs_are_sorted_and_read_like_a_folder(cache: Path, tmp_path: Path) -> None:
    for name in ("b/part-2.csv", "b/part-1.csv", "a/part-1.csv", "a/notes.md"):
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_text(f"text,label\n{name},1\n", encoding="utf-8")
    found = [(origin, split) for _, origin, split, _ in _corpus_rows(str(tmp_path / "raw/*/*.csv"), cache)]
    assert found == [("a/part-1.csv", None), ("b/part-1.csv", None), ("b/part-2.csv", None)]
    assert len(_corpus_rows(str(tmp_path / "raw/**/*.csv"), cache)) == 3
    for pattern, message in {"raw/*.csv": "matches no file", "raw/*": "matches 2 folders and no file"}.items():
        with pytest.raises(SourceError, match=message):
            sources.fingerprint(sources_of(Options(source=str(tmp_path / pattern))), cache)
    odd = tmp_path / "raw [1].csv"
    odd.write_text("text,label\n好,1\n", encoding="utf-8")
    assert len(_corpus_rows(str(odd), cache)) == 1, "a file that is there is no pattern"


def test_what_matches_a_glob_is_pinned(cache: Path, tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("text,label\n好,1\n", encoding="utf-8")
    given = sources_of(Options(source={"甲": str(tmp_path / "*.csv"), "乙": "sample"}))
    found = sources.fingerprint(given, cache)
    sources.check_unchanged(found, given, cache)
    (tmp_path / "3.csv").write_text("text,label\n好,1\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"\*\.csv changed after"):
        sources.check_unchanged(found, given, cache)
    with pytest.raises(SourceError, match="changed after"):
        sources.check_unchanged(found, given[:1], cache)
    with pytest.raises(SourceError, match="changed after"):
        sources.check_unchanged({"sources": found["sources"][1:]}, given, cache)


def test_a_file_is_unpacked_whatever_kind_of_source_it_is(cache: Path, tmp_path: Path) -> None:
    import gzip
    import zipfile

    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "dev.csv.gz").write_bytes(gzip.compress("text,label\n行,1\n".encode()))
    with zipfile.ZipFile(folder / "train.zip", "w") as archive:
        archive.writestr("part.csv", "text,label\n好,1\n")
    assert [row[1:] for row in _corpus_rows(str(folder), cache)] == [
        ("train.zip/part.csv", "train", "好"),
        ("dev.csv.gz", "validation", "行"),
    ]
    assert _corpus_rows(str(folder / "train.zip"), cache) == [("train", "train.zip/part.csv", None, "好")]
