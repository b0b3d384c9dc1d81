"""Sources of every kind: which version each is now, and its files as readings.

A source is ``sample``, a file, a folder, a URL, or ``hf://owner/name[@revision]``. ``fingerprint`` looks and writes
nothing but its cache of hashes; ``readings`` reads just the version that a fingerprint describes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from wenhuo.errors import SourceError
from wenhuo.reading.columns import Wanted
from wenhuo.reading.folder import SourceFile, choose_files
from wenhuo.reading.formats import Reading, open_file
from wenhuo.reading.local import file_versions, local_files

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


def source_kind(source: str) -> str:
    """``sample``, ``hub``, ``url`` or ``local`` (a path, also as ``file://``)."""
    if source == "sample":
        return "sample"
    if source.startswith("hf://"):
        return "hub"
    return "url" if _URL.match(source) and not source.startswith("file://") else "local"


def fingerprint(source: str, label_names: str | None, cache: Path) -> dict[str, Any]:
    """Which version of a source there is now.

    Args:
        source: as in ``ingest.source``.
        label_names: the path of the file with the labels' names, where they stand in one.
        cache: where hashes of local files are kept, so that an unchanged source costs no reading.

    Returns:
        ``kind``, ``source`` (without secrets), ``files`` (path, version and size of each), ``ignored`` (data files of
        the folder that are not read) and ``label_names`` (path, version and size, or None).

    Raises:
        SourceError: the source or the file of names cannot be reached, or leaves a doubt.
    """
    kind, shown, ignored = source_kind(source), source, list[str]()
    cache.parent.mkdir(parents=True, exist_ok=True)
    if kind == "hub":
        from wenhuo.reading.hub import hub_version

        files = [hub_version(source)]
    elif kind == "url":
        from wenhuo.reading.remote import remote_files, without_secrets

        choice, files = remote_files(source, cache.parent)
        shown, ignored = without_secrets(source), choice.ignored
    elif kind == "sample":
        files = file_versions(*_sample_sources(), cache)
    else:
        folder, choice = local_files(_path(source))
        files, ignored = file_versions(folder, [file.name for file in choice.files], cache), choice.ignored
    names = _names_version(label_names, cache)
    return {"kind": kind, "source": shown, "files": files, "ignored": ignored, "label_names": names}


def check_unchanged(found: dict[str, Any], source: str, label_names: str | None, cache: Path) -> None:
    """Compare a fingerprint with what is there now (a commit cannot change; a URL is compared when it is fetched).

    Raises:
        SourceError: they differ.
    """
    if source_kind(source) in ("local", "sample"):
        same = fingerprint(source, label_names, cache) == found
    else:
        from wenhuo.reading.remote import without_secrets

        names = _names_version(label_names, cache)
        same = (without_secrets(source), names) == (found.get("source"), found.get("label_names"))
    if not same:
        raise SourceError(
            f"{found.get('source')} changed after the stage `source` looked at it", "run again: dvc repro"
        )


def readings(source: str, found: dict[str, Any], wanted: Wanted, scratch: Path) -> Iterator[Reading]:
    """The files of a source, one after another; read each to its end before the next.

    Args:
        source: as in ``ingest.source``.
        found: its fingerprint.
        wanted: what the parameters say about columns.
        scratch: an existing folder in which a temporary one may be made.

    Raises:
        SourceError: the source cannot be reached, or is another version than the fingerprint's.
        DataError: a file is not what it seems, or its columns are in doubt.
    """
    kind = source_kind(source)
    if kind == "hub":
        from wenhuo.reading.hub import hub_readings

        yield from hub_readings(source, found["files"][0]["version"], wanted)
    elif kind == "local":
        folder, choice = local_files(_path(source))
        for file in choice.files:
            yield open_file(folder / file.name, file.name, file.split, wanted)
    else:
        with tempfile.TemporaryDirectory(dir=scratch, prefix=".fetched-") as made:
            yield from _fetched_readings(source, kind, found, wanted, Path(made))


def _fetched_readings(source: str, kind: str, found: dict[str, Any], wanted: Wanted, folder: Path) -> Iterator[Reading]:
    """The files of a source that must first be written into ``folder``."""
    if kind == "sample":
        from wenhuo.reading.sample import write_sample

        write_sample(folder)
        is_folder, prefix = True, "sample/"
    else:
        from wenhuo.reading.remote import download

        is_folder, prefix = download(source, found["files"], folder), ""
    names = [path.name for path in folder.iterdir()]
    files = choose_files(names, found["source"]).files if is_folder else [SourceFile(names[0], None)]
    for name, split in files:
        yield open_file(folder / name, prefix + name, split, wanted)


def _sample_sources() -> tuple[Path, list[str]]:
    """The generator of the sample: its version is that of its code and grammar."""
    folder = Path(__file__).parent
    return folder, sorted(path.name for path in folder.glob("sample*") if path.is_file())


def _names_version(label_names: str | None, cache: Path) -> dict[str, Any] | None:
    if label_names is None:
        return None
    path = _path(label_names)
    if not path.is_file():
        raise SourceError(
            f"ingest.label_names: there is no file {label_names}", "give a file with one name a line, or the names"
        )
    (version,) = file_versions(path.parent, [path.name], cache)
    return {**version, "path": label_names}


def _path(given: str) -> Path:
    return Path(unquote(given.removeprefix("file://")) if given.startswith("file://") else given).expanduser()
