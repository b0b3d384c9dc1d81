"""Files on this machine: which of them a source means, and which version each is, by content."""

from __future__ import annotations

import glob
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import unquote

import orjson

from wenhuo.errors import SourceError
from wenhuo.files import sha256, write_json
from wenhuo.reading.folder import Choice, SourceFile, choose_files, split_of

SETTLED_NANOSECONDS = 2_000_000_000
"""A file changed more recently is hashed every time: a further change within the clock's tick would not be seen."""

MOST_CACHED = 10_000


class FileVersion(TypedDict):
    """A file of a source, the version that is there (``sha256:…``, ``etag:…``, ``commit:…``), and its size in bytes."""

    path: str
    version: str
    size: int | None


def given_path(given: str) -> Path:
    """The path that a person gave, perhaps as ``file://`` or with a ``~``."""
    return Path(unquote(given.removeprefix("file://")) if given.startswith("file://") else given).expanduser()


def local_files(given: str, *, by_name: bool) -> tuple[Path, Choice]:
    """The folder that the files of a source stand in, and the files.

    Args:
        given: a file, a folder, or a glob (``data/raw/*.csv.gz``, ``data/**/*.jsonl``), which is read like a folder.
        by_name: whether the name of a single file says which split it is.

    Raises:
        SourceError: there is nothing there, or the names leave a doubt.
    """
    source = given_path(given)
    if source.is_file():
        return source.parent, Choice([SourceFile(source.name, split_of(source.name, given) if by_name else None)], [])
    if not source.is_dir() and set(given) & set("*?["):
        return _globbed(source)
    if not source.is_dir():
        raise SourceError(f"ingest.source: there is no file or folder {source}", missing_hint())
    try:
        names = [path.name for path in source.iterdir() if path.is_file()]
    except OSError as error:
        raise SourceError(f"{source} cannot be read: {error.strerror}", missing_hint()) from None
    return source, choose_files(names, str(source))


def _globbed(pattern: Path) -> tuple[Path, Choice]:
    """The files that match a glob, relative to the last folder before its first wildcard."""
    fixed = list(takewhile(lambda part: not set(part) & set("*?["), pattern.parts))
    folder = Path(*fixed)
    found = sorted(Path(path) for path in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 (a pattern may be absolute)
    names = [path.relative_to(folder).as_posix() for path in found if path.is_file()]
    if not names:
        what = f"matches {len(found)} folders and no file" if found else "matches no file"
        raise SourceError(f"ingest.source: {pattern} {what}", "mend the pattern; quote it in a shell")
    return folder, choose_files(names, str(pattern))


def missing_hint() -> str:
    """What to do when a source cannot be reached."""
    return (
        "set ingest.source to one that is there, or run again when it is;"
        " meanwhile `dvc repro --downstream validate` goes on with what was last ingested"
    )


def file_versions(folder: Path, names: Sequence[str], cache: Path) -> list[FileVersion]:
    """The versions of files by content.

    Args:
        folder: where they stand.
        names: relative to it.
        cache: a JSON file that keeps the hashes; one counts while path, size, time of change and inode are the same.

    Raises:
        SourceError: a file cannot be read.
    """
    cached = _read_cache(cache)
    fresh = dict(cached)
    versions: list[FileVersion] = []
    for name in names:
        path = folder / name
        try:
            key, stamp = str(path.resolve()), _stamp(path)
            digest = cached[key][1] if key in cached and cached[key][0] == stamp else sha256(path)
            if stamp == _stamp(path) and time.time_ns() - stamp[1] > SETTLED_NANOSECONDS:
                fresh[key] = (stamp, digest)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}", missing_hint()) from None
        versions.append({"path": name, "version": f"sha256:{digest}", "size": stamp[0]})
    if fresh != cached:
        write_json(cache, dict(list(fresh.items())[-MOST_CACHED:]))
    return versions


def _stamp(path: Path) -> list[int]:
    """Size, time of change in nanoseconds, inode."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read_cache(cache: Path) -> dict[str, Any]:
    """What the cache holds; nothing, where it is missing or damaged: it can be made again."""
    try:
        return {key: (stamp, digest) for key, (stamp, digest) in orjson.loads(cache.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
