"""The files that a card is made of, by the paths that the graph gives them: those of the work tree, or of a state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wenhuo.files import read_json


class Files(Protocol):
    """Where files are found that stages wrote."""

    def file(self, out: str, below: str = "") -> Path | None:
        """A file that a stage wrote, or one below a folder that it wrote; None where it is not to be had."""

    def folder(self, out: str) -> Path | None:
        """A folder that a stage wrote; None where it is not to be had."""


@dataclass(frozen=True)
class Here:
    """The files as they lie in the project's folder."""

    root: Path

    def file(self, out: str, below: str = "") -> Path | None:
        """See :class:`Files`."""
        path = self.root / out / below if below else self.root / out
        return path if path.is_file() else None

    def folder(self, out: str) -> Path | None:
        """See :class:`Files`."""
        path = self.root / out
        return path if path.is_dir() else None


def read_report(files: Files, out: str, below: str = "") -> dict[str, Any]:
    """The JSON in a file; nothing where it is not to be had."""
    return dict(_of(files, out, below, read_json, {}))


def _of(files: Files, out: str, below: str, read: Callable[[Path], Any], otherwise: Any) -> Any:
    path = files.file(out, below)
    return otherwise if path is None else read(path)
