"""Numbered lines of a text file, decoded a block at a time; bytes that cannot be decoded are kept, marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wenhuo.reading.charset import Charset, line_blocks


class Block(NamedTuple):
    r"""Some lines of a file.

    Attributes:
        first: the 1-based number of the first line.
        lines: without their ``\n``; a ``\r`` before it is still there. An undecodable byte 0xNN is the lone
            surrogate U+DCNN (PEP 383), which no valid text holds.
        ended: whether the last line had a line end; only a file's last block may lack it.
    """

    first: int
    lines: list[str]
    ended: bool


def read_lines(path: Path, charset: Charset) -> Iterator[Block]:
    r"""The lines of a file, in blocks of about a mebibyte.

    Only ``\n`` and ``\r\n`` end a line (and ``\r`` in a file that has no ``\n``): U+2028, U+0085 and the like
    belong to the text.
    """
    first = 1
    with path.open("rb") as file:
        file.seek(charset.mark)
        for data in line_blocks(file, charset.codec):
            text = decode_marked(data, charset.codec)
            end = "\r" if first == 1 and "\n" not in text else "\n"
            lines = text.split(end)
            ended = lines[-1] == ""
            if ended:
                lines.pop()
            yield Block(first, lines, ended)
            first += len(lines)


def decode_marked(data: bytes, codec: str) -> str:
    """The text of these bytes; what cannot be decoded becomes lone surrogates."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        if not codec.startswith("utf-16"):
            return data.decode(codec, "surrogateescape")
        half = chr(0xDC00 + data[-1]) if len(data) % 2 else ""
        return data[: len(data) // 2 * 2].decode(codec, "surrogatepass") + half
