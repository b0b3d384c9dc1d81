"""Which files of a folder are read, and as which split, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from wenhuo.errors import SourceError
from wenhuo.reading.formats import file_format

SPLITS = {
    "train": "train",
    "training": "train",
    "dev": "validation",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "训练": "train",
    "训练集": "train",
    "验证": "validation",
    "验证集": "validation",
    "开发集": "validation",
    "测试": "test",
    "测试集": "test",
}
"""The split that a word of a file's name means."""

_BESIDE = re.compile(
    r"(readme|license|licence|notice|changelog|sources?|citation|class(es)?|labels?|vocab|stop_?words)([\W_].*)?", re.I
)
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class SourceFile(NamedTuple):
    """A file of a source: its name relative to it, and its split (None: undivided)."""

    name: str
    split: str | None


class Choice(NamedTuple):
    """The files to read, sorted by split (train, validation, test) and name, and the data files that are not."""

    files: list[SourceFile]
    ignored: list[str]


def choose_files(names: Sequence[str], where: str) -> Choice:
    """The files to read of a folder that holds these.

    Files whose name holds the word train, dev (val, valid, validation) or test (``train-00000-of-00002.parquet``,
    ``reviews_test.csv``) are that split; then others are ignored. In a folder without such a name all data files are
    read as undivided, but for those that are called README, class, labels or the like.

    Raises:
        SourceError: there is no data file, or the names leave a doubt.
    """
    data = sorted(name for name in names if file_format(name) and name[0] not in "._")
    words = {name: {word for word in _words(name) if word in SPLITS} for name in data}
    unclear = [name for name in data if len({SPLITS[word] for word in words[name]}) > 1]
    if unclear:
        raise SourceError(
            f"{where}: {unclear[0]} names two splits; {_found(names)}", "rename it, or name one file as the source"
        )
    divided = {name: SPLITS[next(iter(words[name]))] for name in data if words[name]}
    chosen = list(divided) or [name for name in data if not _BESIDE.fullmatch(name)]
    if not chosen:
        raise SourceError(
            f"{where} holds no data files; {_found(names)}", "name a folder with CSV, TSV, JSON lines or Parquet files"
        )
    _check_twins(chosen, words, where)
    order = list(dict.fromkeys(SPLITS.values()))
    files = [SourceFile(name, divided.get(name)) for name in chosen]
    files.sort(key=lambda file: (order.index(file.split) if file.split else 0, file.name))
    return Choice(files, [name for name in data if name not in chosen])


def _words(name: str) -> list[str]:
    return _BETWEEN_WORDS.split(PurePosixPath(name).stem.casefold())


def _check_twins(chosen: list[str], words: dict[str, set[str]], where: str) -> None:
    """Refuse what is probably one thing twice: ``train.csv`` with ``train.tsv``, ``dev.csv`` with ``val.csv``."""
    stems = [PurePosixPath(name).stem for name in chosen]
    same = [name for name in chosen if stems.count(PurePosixPath(name).stem) > 1]
    spellings = {word for name in chosen for word in words[name] if SPLITS[word] == "validation"}
    if len(spellings) > 1:
        same = [name for name in chosen if words[name] & spellings]
    if same:
        raise SourceError(
            f"{where}: {', '.join(same)} are in doubt, they may be the same rows twice", "keep one of them there"
        )


def _found(names: Sequence[str]) -> str:
    shown = sorted(names)[:20]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"found: {', '.join(shown)}{more}" if names else "it is empty"
