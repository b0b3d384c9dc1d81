"""Files written whole or not at all: a temporary name beside the target, then a rename."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

PARTIAL = ".partial"
"""How the names of temporary folders end. A killed process leaves one behind; .dvcignore keeps it out of every hash."""


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target``; move it there when the block ends well, delete it when not.

    The caller may make a file or a folder at the temporary path. An existing target is replaced.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=PARTIAL, dir=target.parent))
    try:
        made = scratch / target.name
        yield made
        if made.is_dir() and target.exists():
            shutil.rmtree(target)
        made.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text with line feeds at line ends, whole or not at all."""
    with whole(target) as path:
        path.write_text(text, encoding="utf-8", newline="\n")


def write_json(target: Path, value: Any) -> None:
    """Write indented UTF-8 JSON with keys in the order given, whole or not at all. NaN becomes null."""
    with whole(target) as path:
        path.write_bytes(
            orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
        )


def read_json(path: Path) -> Any:
    """The value in a JSON file."""
    return orjson.loads(path.read_bytes())


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
