"""Contents by DVC's hash: objects in the cache, files in the work tree, and whether they are what their hash says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import orjson

from wenhuo.tracing.states import Item, State

FOLDER = ".dir"


@dataclass(frozen=True)
class Contents:
    """Where contents are found.

    Attributes:
        root: the project's folder.
        cache: DVC's cache of files.
        present: the present state, which says what the work tree holds; None without dvc.lock.
    """

    root: Path
    cache: Path
    present: State | None = None
    _hashed: dict[tuple[str, int, int], str] = field(default_factory=dict, repr=False)

    def object(self, md5: str) -> Path:
        """Where the cache keeps a content, if it does."""
        return self.cache / md5[:2] / md5[2:]

    def members(self, item: Item) -> dict[str, str] | None:
        """The files of a folder, path below it to hash; of a file its own name; None where the cache lacks the list."""
        if not item.is_folder:
            return {"": item.md5}
        kept = self.object(item.md5)
        if kept.is_file() and self.md5(kept) + FOLDER == item.md5:
            return {entry["relpath"]: entry["md5"] for entry in orjson.loads(kept.read_bytes())}
        return self._members_here(item)

    def file(self, item: Item | None, below: str = "") -> Path | None:
        """A file with the very content that an item, or a file below a folder, had; None when none has it any more.

        It is hashed before it is believed: nothing that is said of a row or a model rests on a damaged file.
        """
        members = self.members(item) if item is not None else None
        if item is None or not members or below not in members:
            return None
        here = self.root / item.path / below if below else self.root / item.path
        return next(
            (p for p in (self.object(members[below]), here) if p.is_file() and self.md5(p) == members[below]), None
        )

    def md5(self, path: Path) -> str:
        """The hash of a file's bytes, read once while it stays the same."""
        stat = path.stat()
        known = (str(path), stat.st_mtime_ns, stat.st_size)
        if known not in self._hashed:
            with path.open("rb") as file:
                self._hashed[known] = hashlib.file_digest(file, "md5").hexdigest()
        return self._hashed[known]

    def folder_md5(self, path: Path) -> tuple[str, dict[str, str]]:
        """DVC's hash of a folder as it is now, and its files."""
        files = {name: self.md5(path / name) for name in _names(path)}
        return self.listed_md5(files), files

    def listed_md5(self, files: Mapping[str, str]) -> str:
        """DVC's hash of a folder of files: path below it to hash."""
        listed = [{"md5": md5, "relpath": name} for name, md5 in sorted(files.items())]
        return hashlib.md5(_as_dvc_writes(listed), usedforsecurity=False).hexdigest() + FOLDER

    def _members_here(self, item: Item) -> dict[str, str] | None:
        here = self.root / item.path
        found, files = self.folder_md5(here) if here.is_dir() else ("", {})
        return files if found == item.md5 else None


def open_contents(root: Path, present: State | None) -> Contents:
    """The contents of a project.

    Raises:
        GraphError: it is in no DVC repository.
    """
    from wenhuo.graph import cache_folder

    return Contents(root, cache_folder(root), present)


def _names(folder: Path) -> Iterator[str]:
    """The files that DVC hashes: all but those that .dvcignore of this project leaves out."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        ignored = path.suffix == ".pyc" or path.name == ".gitignore"
        if path.is_file() and not ignored and not any(_is_left_out(part) for part in name.parts):
            yield name.as_posix()


@lru_cache(maxsize=4096)
def _is_left_out(part: str) -> bool:
    return part == "__pycache__" or part.endswith(".partial")


def _as_dvc_writes(listed: list[dict[str, str]]) -> bytes:
    """Python's own JSON, whose spaces are part of what is hashed."""
    import json

    return json.dumps(listed, sort_keys=True).encode()
