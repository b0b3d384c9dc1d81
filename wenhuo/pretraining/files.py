"""The files of text that a pretraining reads."""

from __future__ import annotations

import glob
from pathlib import Path

from wenhuo.errors import SourceError


def find_files(given: list[str]) -> list[Path]:
    """The files that paths and globs mean, in the order given, those of a glob by name; each once.

    Raises:
        SourceError: a path or glob means no file.
    """
    found: dict[Path, None] = {}
    for one in given:
        found |= dict.fromkeys(_meant(one))
    return list(found)


def _meant(given: str) -> list[Path]:
    path = Path(given).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        raise SourceError(f"{given} is a folder", f"name its files by a glob, such as {given.rstrip('/')}/*.txt")
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207 (it may be absolute)
    files = [name for name in found if name.is_file()]
    if not files:
        raise SourceError(f"there is no file {given}", "bring the file, or name another one in params.yaml")
    return files
