"""Packed files and ZIP archives, unpacked one file at a time into a scratch folder and then read like any other.

Unpacking first costs disk and no memory, and every reader may look at its file as often as it needs (its encoding is
known only at the end). What packing is inside is told by the content: a gzipped file under a plain name is read too.
A ZIP archive is like a folder: of its members those named train, dev and test are the splits. Names of members never
become paths here; one that climbs out, is absolute or a link is refused all the same, for nobody packs that by mistake.
"""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from wenhuo.errors import DataError
from wenhuo.reading.columns import Wanted
from wenhuo.reading.folder import choose_files
from wenhuo.reading.formats import Reading, file_format, open_file
from wenhuo.reading.packing import BLOCK, PACKINGS, allowed_bytes, copy, explained, too_much, unpacked, what_is_inside

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")


def open_files(path: Path, origin: str, split: str | None, wanted: Wanted, scratch: Path) -> Iterator[Reading]:
    """The files in a file: itself, what is packed in it, or the members of an archive; read each before the next.

    Args:
        path: where it stands.
        origin: its name relative to the source.
        split: what its name says; members of an archive whose names say more are that split.
        wanted: what the parameters say about columns.
        scratch: an existing folder in which a temporary one may be made.

    Raises:
        DataError: as ``open_file``; what is packed is damaged, encrypted, dangerous, or unpacks to too much.
    """
    allowed = allowed_bytes(path)
    if file_format(origin) == "zip" and (what_is_inside(path) or "").endswith("Excel workbook"):
        yield from _members(path, origin, split, wanted, scratch, allowed)
    else:
        yield from _unpacked(path, origin, split, wanted, scratch, allowed)


def _unpacked(
    path: Path, origin: str, split: str | None, wanted: Wanted, scratch: Path, allowed: int
) -> Iterator[Reading]:
    packing = what_is_inside(path)
    if file_format(origin) == "xlsx":
        _check_workbook(path, origin, allowed)
    if packing not in PACKINGS.values() or file_format(origin) in (None, "zip"):
        yield open_file(path, origin, split, wanted)
        return
    with unpacked(path, origin, scratch, allowed) as target:
        reading = open_file(target, origin, split, wanted)
        yield replace(reading, format=f"{reading.format}, {packing}")


def _members(
    path: Path, origin: str, split: str | None, wanted: Wanted, scratch: Path, allowed: int
) -> Iterator[Reading]:
    """The files of an archive, as of a folder; all of them together may hold what is allowed."""
    with _opened(path, origin) as archive, tempfile.TemporaryDirectory(dir=scratch, prefix=".unpacked-") as made:
        members = _checked(archive, origin, allowed)
        names = [name for name in members if file_format(name) != "zip"]
        choice = choose_files(names, origin)
        ignored = tuple(f"{origin}/{name}" for name in (*choice.ignored, *(n for n in members if n not in names)))
        target = Path(made, "content")
        for name, own in choice.files:
            inside = f"{origin}/{name}"
            with explained(inside, "a member of a ZIP archive"), archive.open(members[name]) as member:
                allowed -= copy(iter(partial(member.read, BLOCK), b""), target, inside, allowed)
            for reading in _unpacked(target, inside, own or split, wanted, Path(made), allowed):
                yield replace(reading, ignored=ignored + reading.ignored)


def _opened(path: Path, origin: str) -> zipfile.ZipFile:
    with explained(origin, "a ZIP archive"):
        return zipfile.ZipFile(path)


def _checked(archive: zipfile.ZipFile, origin: str, allowed: int) -> dict[str, zipfile.ZipInfo]:
    """The members by their decoded names, without folders and what macOS puts beside each file."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = _decoded(info)
        parts = name.split("/")
        if _ABSOLUTE.match(name) or ".." in parts:
            raise _refused(origin, f"the member {name!r} points out of the archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refused(origin, f"the member {name!r} is a link")
        if info.flag_bits & 1:
            raise DataError(f"{origin}: the member {name!r} is encrypted", "pack it again without a password")
        if name.endswith("/") or parts[0] == "__MACOSX" or any(part.startswith("._") for part in parts):
            continue
        if name in members:
            raise _refused(origin, f"the member {name!r} stands there twice")
        members[name] = info
    if sum(info.file_size for info in members.values()) > allowed:
        raise too_much(origin, allowed)
    return members


def _decoded(info: zipfile.ZipInfo) -> str:
    """A member's name: where it is not marked as UTF-8, ``zipfile`` took cp437 for what is UTF-8 or GBK in practice."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        raw = name.encode("cp437", "replace")
        for codec in ("utf-8", "gb18030"):
            try:
                name = raw.decode(codec)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _check_workbook(path: Path, origin: str, allowed: int) -> None:
    """Refuse a workbook that says of itself that it unpacks to too much; its reader would not stop."""
    if zipfile.is_zipfile(path):
        with _opened(path, origin) as archive:
            if sum(info.file_size for info in archive.infolist()) > allowed:
                raise too_much(origin, allowed)


def _refused(origin: str, why: str) -> DataError:
    return DataError(f"{origin} is refused: {why}", "do not trust it; pack the files you need again")
