"""The encoding of a text file: UTF-8, UTF-16 (each with or without a byte order mark) or GB18030 (so also GBK).

The file is read once as a stream, a second time only when it is not UTF-8. A few invalid bytes do not make a file
another encoding: only the lines that hold them are undecodable. So GB18030 is chosen when most of the lines that are
not ASCII fail as UTF-8 and what they say as GB18030 is ordinary Chinese. That second question matters: two thirds of
all byte pairs are some character of GB18030, so Big5 or damaged UTF-8 passes for it, as gibberish.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from wenhuo.errors import DataError

BLOCK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
SAMPLE_CHARACTERS = 1 << 18

LEAST_BAD_LINES = 0.5
"""Share of the lines that are not ASCII which must fail as UTF-8: in GB18030 nearly all do, in damaged UTF-8 few."""

LEAST_USUAL_CHARACTERS = 0.5
"""Share of usual characters: 0.99 in simplified reviews and titles, 0.76 in traditional reviews written as GB18030;
0.08 to 0.18 when Big5 and 0.10 to 0.13 when UTF-8 is read as GB18030 (single lines: at least 0.61, at most 0.46)."""

LEAST_NULS_OF_ASCII = 0.2
"""Share of NUL bytes from which a text that would also be ASCII is taken for UTF-16 (English in UTF-16: 0.5)."""

LEAST_WIDE_SEPARATORS = 0.05
"""Share of the separator bytes that must be separators as UTF-16; a narrow file with a stray NUL is far below, Chinese
rows of 2,000 characters in UTF-16 just above (every 40th character there has such a byte by chance)."""

_SEPARATORS = '\n\t,"'
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_NAMES = {"utf-8": "UTF-8", "utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE", "gb18030": "GB18030"}


class Charset(NamedTuple):
    """An encoding: the name of Python's codec, and how many bytes of byte order mark come first."""

    codec: str
    mark: int = 0

    def __str__(self) -> str:
        return _NAMES[self.codec] + (" with BOM" if self.mark else "")


def detect_charset(path: Path, where: str) -> Charset:
    """The encoding of a file.

    Args:
        path: the file.
        where: its name for messages.

    Raises:
        DataError: the file is UTF-32.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
            raise DataError(f"{where}: the encoding is UTF-32", "convert it: iconv -f UTF-32 -t UTF-8")
        for mark, codec in _MARKS:
            if head.startswith(mark):
                return Charset(codec, len(mark))
        if wide := _by_nuls(head):
            return Charset(wide)
        return Charset("gb18030" if _is_gb18030(file) else "utf-8")


def line_blocks(file: BinaryIO, codec: str, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The bytes of a file from where it stands, in blocks that end after a line end (the last: where the file ends).

    No byte of a multi-byte character of UTF-8 or GB18030 equals a line end (GB18030-2022, section 4), so that bytes
    can be cut before they are decoded; in UTF-16 only a line end at an even offset is one.
    """
    rest = b""
    while data := file.read(size):
        data = rest + data
        end = _after_last_line(data, codec)
        if end:
            yield data[:end]
        rest = data[end:]
    if rest:
        yield rest


def _after_last_line(data: bytes, codec: str) -> int:
    if not codec.startswith("utf-16"):
        return data.rfind(b"\n") + 1
    unit = "\n".encode(codec)
    at = data.rfind(unit)
    while at > 0 and at % 2:
        at = data.rfind(unit, 0, at + 1)
    return at + 2 if at >= 0 and at % 2 == 0 else 0


def _by_nuls(head: bytes) -> str | None:
    """UTF-16 without a mark: each line end, tab, comma and quote is a pair of that byte and a NUL at an even offset."""
    nuls = head.count(0)
    if not nuls or (_decodes(head, "utf-8", cut=True) and nuls < LEAST_NULS_OF_ASCII * len(head)):
        return None
    units = [head[at : at + 2] for at in range(0, len(head) - 1, 2)]
    wide = {codec: _separators(codec) for codec in ("utf-16-le", "utf-16-be")}
    found = {codec: sum(unit in pairs for unit in units) for codec, pairs in wide.items()}
    likely = max(found, key=lambda codec: found[codec])
    anywhere = sum(head.count(byte) for byte in _SEPARATORS.encode())
    enough = found[likely] >= max(1, LEAST_WIDE_SEPARATORS * anywhere)
    return likely if enough and _decodes(head, likely, cut=True) else None


def _separators(codec: str) -> frozenset[bytes]:
    return frozenset(character.encode(codec) for character in _SEPARATORS)


def _decodes(data: bytes, codec: str, *, cut: bool = False) -> bool:
    """Are these bytes valid? ``cut``: the last character may be incomplete."""
    try:
        data.decode(codec)
    except UnicodeDecodeError as error:
        return cut and error.start >= len(data) - 4 and error.reason.startswith(("unexpected end", "truncated"))
    return True


def _is_gb18030(file: BinaryIO) -> bool:
    bad, lines = _undecodable_lines(file, "utf-8")
    if bad <= LEAST_BAD_LINES * lines:
        return False
    bad, lines = _undecodable_lines(file, "gb18030")
    return bad <= LEAST_BAD_LINES * lines and _usual_share(file) >= LEAST_USUAL_CHARACTERS


def _undecodable_lines(file: BinaryIO, codec: str) -> tuple[int, int]:
    """How many of the file's lines cannot be decoded, and how many are not ASCII."""
    bad = lines = 0
    file.seek(0)
    for block in line_blocks(file, codec):
        if block.isascii():
            continue
        beyond_ascii = [line for line in block.split(b"\n") if not line.isascii()]
        lines += len(beyond_ascii)
        if not _decodes(block, codec):
            bad += sum(not _decodes(line, codec) for line in beyond_ascii)
    return bad, lines


def _usual_share(file: BinaryIO) -> float:
    """The share of usual characters among those that are not ASCII, in the first of the file's blocks."""
    file.seek(0)
    counted = usual = 0
    for block in line_blocks(file, "gb18030"):
        beyond_ascii = [c for c in block.decode("gb18030", "ignore")[:SAMPLE_CHARACTERS] if not c.isascii()]
        counted += len(beyond_ascii)
        usual += sum(c in _usual_characters() for c in beyond_ascii)
        if counted >= SAMPLE_CHARACTERS:
            break
    return usual / counted if counted else 0.0


@cache
def _usual_characters() -> frozenset[str]:
    """GB 2312's first level (the 3,755 commonest characters, rows 16 to 55), its punctuation and full-width forms."""
    rows = (0xA1, 0xA3, *range(0xB0, 0xD8))
    pairs = (bytes([row, cell]) for row in rows for cell in range(0xA1, 0xFF))
    return frozenset(pair.decode("gb2312", "ignore") for pair in pairs)
