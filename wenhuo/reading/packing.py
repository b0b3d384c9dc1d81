"""Packed files: what a file's first bytes say it is, and what is packed in it, unpacked into a scratch folder."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from wenhuo.errors import DataError

PACKINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard"}
"""Packing by the extension after the format's."""

MAGIC = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    *((b"BZh%d1AY&SY" % level, "bzip2") for level in range(1, 10)),
    (b"\xfd7zXZ\0", "xz"),
    (b"(\xb5/\xfd", "Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Office document, or one with a password"),
    (b"ARROW1", "Arrow"),
    (b"SQLite format 3\0", "an SQLite database"),
)

MOST_RATIO = 250
"""How many times its packed size a file may have. Texts reach 2 to 10, one repeated line 514 (gzip) to 12,192 (bz2)."""

ALWAYS_ALLOWED = 1 << 28
"""Bytes that may come out of any file, whatever its size: a quarter of a gibibyte fills no disk."""

BLOCK = 1 << 20

_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


def what_is_inside(path: Path) -> str | None:
    """What a file's first bytes say it is ("" for an empty file); None where they say nothing."""
    with path.open("rb") as file:
        head = file.read(16)
    return next((what for magic, what in MAGIC if head.startswith(magic)), None) if head else ""


def allowed_bytes(path: Path) -> int:
    """How many bytes may come out of a packed file."""
    return max(ALWAYS_ALLOWED, MOST_RATIO * path.stat().st_size)


@contextmanager
def unpacked(path: Path, origin: str, scratch: Path, allowed: int | None = None) -> Iterator[Path]:
    """The path of what is packed in a file, which is there until the block ends; of a file that is not packed, its own.

    Args:
        path: where it stands.
        origin: its name for messages.
        scratch: an existing folder in which a temporary one may be made.
        allowed: bytes that may come out of it; None: what its size allows.

    Raises:
        DataError: it is damaged, or unpacks to too much.
    """
    packing = what_is_inside(path)
    if packing not in PACKINGS.values():
        yield path
        return
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".unpacked-") as made:
        target = Path(made, "content")
        with path.open("rb") as packed, explained(origin, str(packing)):
            copy(_stream(packed, str(packing)), target, origin, allowed_bytes(path) if allowed is None else allowed)
        yield target


def copy(blocks: Iterator[bytes], target: Path, origin: str, allowed: int) -> int:
    """Write the blocks, at most ``allowed`` bytes, and return how many bytes they had."""
    size = 0
    with target.open("wb") as file:
        for block in blocks:
            size += len(block)
            if size > allowed:
                raise too_much(origin, allowed)
            file.write(block)
    return size


@contextmanager
def explained(origin: str, packing: str) -> Iterator[None]:
    """Turn whatever the unpacking libraries raise into one sentence."""
    try:
        yield
    except _DAMAGED as error:
        reason = " ".join(str(error).split())[:200] or "it is cut off"
        raise DataError(f"{origin} cannot be unpacked as {packing}: {reason}", "fetch or pack the file again") from None


def too_much(origin: str, allowed: int) -> DataError:
    """The error of a file that unpacks to more than ``allowed`` bytes."""
    return DataError(
        f"{origin} unpacks to more than {allowed:,} bytes, {MOST_RATIO} times its size: no data set does",
        "if it is sound, unpack it yourself",
    )


def _stream(packed: IO[bytes], packing: str) -> Iterator[bytes]:
    if packing == "Zstandard":
        return _zstandard(packed)
    opened: dict[str, Callable[[], Any]] = {
        "gzip": lambda: gzip.GzipFile(fileobj=packed),
        "bzip2": lambda: bz2.BZ2File(packed),
        "xz": lambda: lzma.LZMAFile(packed),  # noqa: SIM115
    }
    file = opened[packing]()
    return iter(partial(file.read, BLOCK), b"")


def _zstandard(packed: IO[bytes]) -> Iterator[bytes]:
    """Frame after frame; the library's own reader takes a frame that is cut off for a whole one."""
    import zstandard

    decoder, data = zstandard.ZstdDecompressor().decompressobj(), b""
    while data or (data := packed.read(BLOCK >> 4)):
        if decoder.eof:
            decoder = zstandard.ZstdDecompressor().decompressobj()
        try:
            yield decoder.decompress(data)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from None
        data = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise EOFError("the file is cut off")
