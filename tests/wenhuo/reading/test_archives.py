"""Packed files and ZIP archives: read like plain ones, and refused where they are dangerous or damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from wenhuo.errors import DataError, SourceError
from wenhuo.reading.archives import open_files
from wenhuo.reading.columns import Wanted

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}
CSV = "text,label\n很好，很好,1\n=1+1,0\n".encode("gb18030")
ROWS = [("很好，很好", "1"), ("=1+1", "0")]

Found = list[tuple[str, str | None, list[tuple[str, str]]]]


def _read(path: Path, origin: str | None = None, split: str | None = None) -> Found:
    """Origin, split and rows of each file in a file; nothing may be left in the scratch folder."""
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    found: Found = []
    for reading in open_files(path, origin or path.name, split, Wanted(), scratch):
        rows = [row for chunk in reading.chunks for row in zip(chunk.texts, chunk.labels, strict=True)]
        found.append((reading.origin, reading.split, rows))
    assert list(scratch.iterdir()) == []
    return found


def _zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("name", ["评论 train;$(id).csv", "评论.csv"])
def test_packed_files(tmp_path: Path, packing: str, name: str) -> None:
    path = tmp_path / f"{name}{packing}"
    path.write_bytes(PACK[packing](CSV))
    assert _read(path) == [(path.name, None, ROWS)]


@pytest.mark.parametrize("packing", PACK)
def test_a_packed_file_under_another_name_is_known_by_its_content(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "评论.csv"
    path.write_bytes(PACK[packing](CSV))
    assert _read(path) == [("评论.csv", None, ROWS)]
    for suffix, other in PACK.items():
        path = tmp_path / f"评论.csv{suffix}"
        path.write_bytes(other(CSV) if suffix == packing else PACK[packing](CSV))
        assert _read(path)[0][2] == ROWS, "whatever packing the name promises"
    plain = tmp_path / f"plain.csv{packing}"
    plain.write_bytes(CSV)
    assert _read(plain)[0][2] == ROWS, "a name that promises packing, and none inside"


def test_packed_parts_one_after_the_other(tmp_path: Path) -> None:
    """``cat a.gz b.gz``, and what pigz and pzstd write."""
    first, rest = CSV[:20], CSV[20:]
    for packing, pack in PACK.items():
        path = tmp_path / f"a.csv{packing}"
        path.write_bytes(pack(first) + pack(rest))
        assert _read(path)[0][2] == ROWS, packing


@pytest.mark.parametrize("packing", PACK)
def test_a_packed_file_that_is_cut_off_is_an_error(tmp_path: Path, packing: str) -> None:
    content = bytes(random.Random(13).choices(b"0123456789\n", k=300_000))
    packed = PACK[packing](b"text,label\n" + content)
    path = tmp_path / f"a.csv{packing}"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"a\.csv.* cannot be unpacked") as error:
        _read(path)
    assert error.value.hint


@pytest.mark.parametrize("packing", PACK)
def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wenhuo.reading.packing.ALWAYS_ALLOWED", 1 << 16)
    path = tmp_path / f"a.csv{packing}"
    path.write_bytes(PACK[packing](b"text,label\n" + b"\n" * (1 << 24)))
    with pytest.raises(DataError, match="unpacks to more than"):
        _read(path)


def test_what_is_packed_twice_or_unclear_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(gzip.compress(CSV)))
    with pytest.raises(DataError, match="gzip inside"):
        _read(path)
    for name in ("data.gz", "data.tar.gz", "data"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(CSV))
        with pytest.raises(DataError, match=r"cannot tell its format by its name \(gzip inside\)"):
            _read(path)


def test_an_archive_is_like_a_folder(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "数据.zip",
        {
            "数据/test.csv": CSV,
            "数据/train.jsonl": '{"text": "好", "label": 1}\n'.encode(),
            "数据/dev.tsv.gz": gzip.compress("行\t1\n".encode()),
            "数据/class.txt": b"a\nb\n",
            "数据/inner.zip": b"PK\x03\x04",
            "__MACOSX/数据/._train.jsonl": b"\0\5\x16\7",
            "数据/._test.csv": b"\0\5\x16\7",
        },
    )
    assert _read(path) == [
        ("数据.zip/数据/train.jsonl", "train", [("好", "1")]),
        ("数据.zip/数据/dev.tsv.gz", "validation", [("行", "1")]),
        ("数据.zip/数据/test.csv", "test", ROWS),
    ]
    scratch = tmp_path / "scratch"
    (first, *_) = open_files(path, "a.zip", None, Wanted(), scratch)
    assert first.ignored == ("a.zip/数据/class.txt", "a.zip/数据/inner.zip")


def test_the_name_of_an_archive_says_the_split_where_its_members_do_not(tmp_path: Path) -> None:
    path = _zip(tmp_path / "train.zip", {"part-1.csv": CSV, "part-2.csv": CSV})
    assert [split for _, split, _ in _read(path, split="train")] == ["train", "train"]


@pytest.mark.parametrize("name", ["训练集.csv", "测试集.csv"])
@pytest.mark.parametrize("codec", ["gbk", "utf-8"])
def test_names_as_chinese_windows_and_macos_write_them(tmp_path: Path, name: str, codec: str) -> None:
    """Neither marks its names as UTF-8: they look like cp437."""
    raw = name.encode(codec)
    path = _zip(tmp_path / "a.zip", {"x" * len(raw): CSV}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"x" * len(raw), raw))
    assert _read(path) == [(f"a.zip/{name}", "train" if "训练" in name else "test", ROWS)]


@pytest.mark.parametrize("name", ["../train.csv", "a/../../train.csv", "/etc/train.csv", "..\\train.csv", "C:\\a.csv"])
def test_members_that_climb_out_are_refused(tmp_path: Path, name: str) -> None:
    path = _zip(tmp_path / "a.zip", {"train.csv": CSV, name: CSV})
    with pytest.raises(DataError, match="points out of the archive"):
        _read(path)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.zip", "scratch"]


def test_links_are_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"train.csv": CSV})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("test.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match=r"'test.csv' is a link"):
        _read(path)


def test_encrypted_and_doubled_members(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"train.csv": CSV})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(DataError, match="encrypted") as error:
        _read(tmp_path / "b.zip")
    assert "password" in error.value.hint
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("train.csv", CSV)
    with pytest.raises(DataError, match="stands there twice"):
        _read(path)


def test_a_zip_bomb_is_refused_before_and_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wenhuo.reading.packing.ALWAYS_ALLOWED", 1 << 16)
    bomb = b"text,label\n" + b"\n" * (1 << 22)
    path = _zip(tmp_path / "a.zip", {f"train-{n}.csv": bomb for n in range(3)})
    with pytest.raises(DataError, match="unpacks to more than"):
        _read(path)
    packed = _zip(tmp_path / "b.zip", {"train.csv.xz": lzma.compress(bomb)}, zipfile.ZIP_STORED)
    with pytest.raises(DataError, match="unpacks to more than"):
        _read(packed)
    content = bytearray(path.read_bytes())
    for place in [at for at in range(len(content)) if content[at : at + 4] == b"PK\x01\x02"]:
        content[place + 24 : place + 28] = (99).to_bytes(4, "little")  # sizes that lie
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be unpacked|unpacks to more than"):
        _read(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"text,label\n", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises((DataError, SourceError), match=r"a\.zip"):
        _read(path)


def test_a_damaged_member_and_an_archive_without_data(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"train.csv": CSV * 99})
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip/train\.csv cannot be unpacked"):
        _read(path)
    with pytest.raises(SourceError, match=r"holds no data files; found: notes\.md"):
        _read(_zip(tmp_path / "b.zip", {"notes.md": b"#"}))


def test_a_workbook_under_the_name_of_an_archive(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    made = io.BytesIO()
    book.save(made)
    (tmp_path / "a.zip").write_bytes(made.getvalue())
    with pytest.raises(SourceError, match="holds no data files"):
        _read(tmp_path / "a.zip")
