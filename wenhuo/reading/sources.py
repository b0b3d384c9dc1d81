"""Sources of every kind: which version each is now, and its files as readings.

A source is ``sample``, a file, a glob, a folder, a ZIP archive, a URL, or ``hf://owner/name[@revision]``; several make
one corpus. ``fingerprint`` looks and writes nothing but its cache; ``readings`` reads just the version that a
fingerprint describes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wenhuo.errors import SourceError
from wenhuo.reading.archives import open_files
from wenhuo.reading.folder import SourceFile, choose_files, split_of
from wenhuo.reading.formats import Reading
from wenhuo.reading.local import file_versions, given_path, local_files
from wenhuo.reading.options import Source

FETCHED = ".fetched"
"""A folder for what had to be downloaded to know its version, until it is read."""

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


def source_kind(source: str) -> str:
    """``sample``, ``hub``, ``url`` or ``local`` (a path, also as ``file://``)."""
    if source == "sample":
        return "sample"
    if source.startswith("hf://"):
        return "hub"
    return "url" if _URL.match(source) and not source.startswith("file://") else "local"


def fingerprint(sources: Sequence[Source], cache: Path) -> dict[str, Any]:
    """Which version of its sources there is now.

    Args:
        sources: at least one.
        cache: a file for the hashes of local files, so that an unchanged source costs no reading; beside it stands
            what is downloaded.

    Returns:
        ``sources``: for each ``name``, ``kind``, ``source`` (its address without secrets), ``files`` (path, version and
        size of each), ``ignored`` (data files of the folder that are not read) and ``label_names`` (path, version and
        size, or None).

    Raises:
        SourceError: a source or the file of names cannot be reached, or leaves a doubt.
    """
    shutil.rmtree(cache.parent / FETCHED, ignore_errors=True)
    cache.parent.mkdir(parents=True, exist_ok=True)
    return {"sources": [_look(source, cache) for source in sources]}


def check_unchanged(found: Mapping[str, Any], sources: Sequence[Source], cache: Path) -> None:
    """Compare a fingerprint with what is there now (a commit cannot change; a URL is compared when it is fetched).

    Raises:
        SourceError: they differ.
    """
    seen = list(found.get("sources", ()))
    for place, source in enumerate(sources):
        if place >= len(seen) or not _is_same(seen[place], source, cache):
            what = seen[place].get("source") if place < len(seen) else source.name
            raise SourceError(f"{what} changed after the stage `source` looked at it", "run again: dvc repro")
    if len(seen) > len(sources):
        raise SourceError("the sources changed after the stage `source` looked at them", "run again: dvc repro")


def readings(sources: Sequence[Source], found: Mapping[str, Any], scratch: Path) -> Iterator[Reading]:
    """The files of all sources, one after another; read each to its end before the next.

    Args:
        sources: as they were when looked at.
        found: their fingerprint.
        scratch: an existing folder in which temporary ones may be made.

    Raises:
        SourceError: a source cannot be reached, or is another version than the fingerprint's.
        DataError: a file is not what it seems, or its columns are in doubt.
    """
    for source, seen in zip(sources, found["sources"], strict=True):
        for reading in _readings(source, seen, scratch):
            yield replace(reading, source=source.name)


def _look(source: Source, cache: Path) -> dict[str, Any]:
    kind, address = source_kind(source.address), source.address
    shown, ignored = address, list[str]()
    if kind == "hub":
        from wenhuo.reading.hub import hub_version

        files = [hub_version(address)]
    elif kind == "url":
        from wenhuo.reading.remote import remote_files, without_secrets

        choice, files = remote_files(address, cache.parent / FETCHED)
        shown, ignored = without_secrets(address), choice.ignored
    elif kind == "sample":
        files = file_versions(*_sample_sources(), cache)
    else:
        folder, choice = local_files(address, by_name=source.several)
        files, ignored = file_versions(folder, [file.name for file in choice.files], cache), choice.ignored
    names = _names_version(source.names_file, cache)
    return {
        "name": source.name,
        "kind": kind,
        "source": shown,
        "files": files,
        "ignored": ignored,
        "label_names": names,
    }


def _is_same(seen: Mapping[str, Any], source: Source, cache: Path) -> bool:
    if source_kind(source.address) in ("local", "sample"):
        return _look(source, cache) == seen
    from wenhuo.reading.remote import without_secrets

    known: dict[str, Any] = {"name": source.name, "source": without_secrets(source.address)}
    known["label_names"] = _names_version(source.names_file, cache)
    return all(seen.get(key) == value for key, value in known.items())


def _readings(source: Source, seen: Mapping[str, Any], scratch: Path) -> Iterator[Reading]:
    kind = source_kind(source.address)
    if kind == "hub":
        from wenhuo.reading.hub import hub_readings

        yield from hub_readings(source.address, seen["files"][0]["version"], source.wanted)
    elif kind == "local":
        folder, choice = local_files(source.address, by_name=source.several)
        for file in choice.files:
            yield from open_files(folder / file.name, file.name, file.split, source.wanted, scratch)
    else:
        with tempfile.TemporaryDirectory(dir=scratch, prefix=".fetched-") as made:
            yield from _fetched_readings(source, kind, seen, Path(made), scratch)


def _fetched_readings(
    source: Source, kind: str, seen: Mapping[str, Any], folder: Path, scratch: Path
) -> Iterator[Reading]:
    """The files of a source that must first be written into ``folder``."""
    if kind == "sample":
        from wenhuo.reading.sample import write_sample

        write_sample(folder)
        is_folder, prefix = True, "sample/"
    else:
        from wenhuo.reading.remote import download

        is_folder, prefix = download(source.address, seen["files"], folder, scratch / FETCHED), ""
    names = [path.name for path in folder.iterdir()]
    split = split_of(names[0], names[0]) if source.several and not is_folder else None
    files = choose_files(names, seen["source"]).files if is_folder else [SourceFile(names[0], split)]
    for name, part in files:
        yield from open_files(folder / name, prefix + name, part, source.wanted, scratch)


def _sample_sources() -> tuple[Path, list[str]]:
    """The generator of the sample: its version is that of its code and grammar."""
    folder = Path(__file__).parent
    return folder, sorted(path.name for path in folder.glob("sample*") if path.is_file())


def _names_version(label_names: str | None, cache: Path) -> dict[str, Any] | None:
    if label_names is None:
        return None
    path = given_path(label_names)
    if not path.is_file():
        raise SourceError(
            f"ingest.label_names: there is no file {label_names}", "give a file with one name a line, or the names"
        )
    (version,) = file_versions(path.parent, [path.name], cache)
    return {**version, "path": label_names}
