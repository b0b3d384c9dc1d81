"""Which encoding a file has, and which lines of a damaged one are lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from wenhuo.errors import DataError
from wenhuo.reading.charset import BLOCK_BYTES, detect_charset
from wenhuo.reading.lines import read_lines

REVIEWS = [
    "房间很干净，服务员态度也好，下次还会再来。",
    "早餐一般，隔音太差，一晚上没有睡好。",
    "位置不错，离地铁站只要五分钟",
]
TRADITIONAL = "這間酒店環境和服務態度亦算不錯，但房間空間太小，不宜容納太大件行李，而且價錢也不便宜。"
RARE = "𠮷野家的𠀋很好吃😀"


def _rows(*texts: str) -> str:
    return "".join(f"{text}\t{place % 2}\n" for place, text in enumerate(texts))


def _detected(folder: Path, content: bytes) -> str:
    path = folder / "file.txt"
    path.write_bytes(content)
    return str(detect_charset(path, "file.txt"))


def _lines(path: Path) -> list[str]:
    return [line for block in read_lines(path, detect_charset(path, path.name)) for line in block.lines]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("gbk", "GB18030"),
        ("gb18030", "GB18030"),
        ("utf-16", "UTF-16LE with BOM"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
    ],
)
def test_each_encoding_is_recognised_and_read_back(tmp_path: Path, codec: str, name: str) -> None:
    text = _rows(*REVIEWS * 20)
    assert _detected(tmp_path, text.encode(codec)) == name
    assert "\n".join(_lines(tmp_path / "file.txt")) + "\n" == text


@pytest.mark.parametrize(
    ("codec", "name"), [("gb18030", "GB18030"), ("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE")]
)
def test_one_row_is_enough(tmp_path: Path, codec: str, name: str) -> None:
    assert _detected(tmp_path, _rows(REVIEWS[0]).encode(codec)) == name
    assert _lines(tmp_path / "file.txt") == [f"{REVIEWS[0]}\t0"]


def test_four_byte_characters_of_gb18030(tmp_path: Path) -> None:
    text = _rows(*REVIEWS, RARE)
    assert _detected(tmp_path, text.encode("gb18030")) == "GB18030"
    assert _lines(tmp_path / "file.txt")[3] == f"{RARE}\t1"


def test_traditional_characters_in_gb18030(tmp_path: Path) -> None:
    assert _detected(tmp_path, _rows(TRADITIONAL).encode("gb18030")) == "GB18030"


def test_big5_is_not_taken_for_gb18030(tmp_path: Path) -> None:
    """Read as GB18030 it would decode, to gibberish; as UTF-8 its lines are rejected and the file refused."""
    assert (
        _detected(tmp_path, _rows(TRADITIONAL.replace("，", ","), "這個很好吃,我還會再來的").encode("big5")) == "UTF-8"
    )


def test_a_few_invalid_bytes_leave_utf8_what_it_is(tmp_path: Path) -> None:
    lines = _rows(*REVIEWS * 10).encode().splitlines(keepends=True)
    lines[4] = lines[4][:7] + b"\xff" + lines[4][7:]
    lines[9] = lines[9][:-4] + b"\t0\n"
    lines[12] = lines[12][1:]
    assert _detected(tmp_path, b"".join(lines)) == "UTF-8"
    bad = [place for place, line in enumerate(_lines(tmp_path / "file.txt")) if not _encodable(line)]
    assert bad == [4, 9, 12]


def test_a_single_damaged_line_stays_utf8(tmp_path: Path) -> None:
    for place in range(1, 12):
        line = bytearray(REVIEWS[0].encode())
        line[place] = 0xFF
        assert _detected(tmp_path, bytes(line) + b"\t1\n") == "UTF-8"


def test_a_few_invalid_bytes_leave_gb18030_what_it_is(tmp_path: Path) -> None:
    lines = _rows(*REVIEWS * 10).encode("gb18030").splitlines(keepends=True)
    lines[4] = b"\xff" + lines[4]
    assert _detected(tmp_path, b"".join(lines)) == "GB18030"
    assert [place for place, line in enumerate(_lines(tmp_path / "file.txt")) if not _encodable(line)] == [4]


def test_a_nul_in_utf8_does_not_make_it_utf16(tmp_path: Path) -> None:
    assert _detected(tmp_path, _rows("很好\0", *REVIEWS, "abc \0 def").encode()) == "UTF-8"
    assert _detected(tmp_path, ("text\tlabel\n" + _rows("plain\0", "words \n\0") * 9).encode()) == "UTF-8"


def test_english_in_utf16(tmp_path: Path) -> None:
    assert _detected(tmp_path, _rows("a good hotel", "a bad one").encode("utf-16-le")) == "UTF-16LE"
    assert _detected(tmp_path, _rows("a good hotel", "a bad one").encode("utf-16-be")) == "UTF-16BE"


def test_characters_whose_low_byte_is_nul_do_not_swap_the_order(tmp_path: Path) -> None:
    text = "一一一　一一　一\t1\n上上丁一一　　一一\t0\n" * 3
    assert _detected(tmp_path, text.encode("utf-16-le")) == "UTF-16LE"
    assert _detected(tmp_path, text.encode("utf-16-be")) == "UTF-16BE"


def test_utf32_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="UTF-32"):
        _detected(tmp_path, "好".encode("utf-32"))


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "utf-16-le"])
def test_blocks_cut_no_character_and_number_the_lines(tmp_path: Path, codec: str) -> None:
    lines = [f"{REVIEWS[n % 3]}{RARE if n % 7 == 0 else ''}上上{n}\t{n % 2}" for n in range(50_000)]
    path = tmp_path / "long.txt"
    path.write_bytes("\n".join(lines).encode(codec))
    assert path.stat().st_size > 2 * BLOCK_BYTES
    first = 1
    for block in read_lines(path, detect_charset(path, path.name)):
        assert block.first == first
        assert block.lines == lines[first - 1 : first - 1 + len(block.lines)]
        first += len(block.lines)
    assert first == len(lines) + 1
    assert not block.ended


def test_only_line_ends_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes("一\u2028二\x85三\x0b四\x1c五\r\n六\n".encode())
    assert _lines(path) == ["一\u2028二\x85三\x0b四\x1c五\r", "六"]
    path.write_bytes("一\t1\r二\t0\r".encode())
    assert _lines(path) == ["一\t1", "二\t0"]


def test_odd_byte_at_the_end_of_utf16_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(("\ufeff" + _rows(*REVIEWS)).encode("utf-16-le") + b"\x4e")
    *whole, last = _lines(path)
    assert [line.split("\t")[0] for line in whole] == REVIEWS
    assert not _encodable(last)


def _encodable(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
