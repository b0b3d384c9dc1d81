"""Which files of a folder are read, and as which split, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from wenhuo.errors import SourceError
from wenhuo.reading.formats import bare_name, file_format

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
    """The files to read of a folder (or archive) that holds these; a ZIP archive is a file to read, too.

    Files whose name holds the word train, dev (val, valid, validation) or test (``train-00000-of-00002.parquet``,
    ``reviews_test.csv``) are that split, and so are those in a folder with such a name; then others are ignored.
    Without such a name all data files are read as undivided, but for those that are called README, class, labels or
    the like.

    Raises:
        SourceError: there is no data file, or the names leave a doubt.
    """
    data = sorted(name for name in names if file_format(name) and not _is_hidden(name))
    splits = {name: split_of(name, where) for name in data}
    divided = [name for name in data if splits[name]]
    chosen = divided or [name for name in data if not _BESIDE.fullmatch(PurePosixPath(name).name)]
    if not chosen:
        raise SourceError(
            f"{where} holds no data files; {_found(names)}", "name a folder with CSV, TSV, JSON lines or Parquet files"
        )
    _check_twins(chosen, where)
    order = [None, *dict.fromkeys(SPLITS.values())]
    files = [SourceFile(name, splits[name]) for name in chosen]
    files.sort(key=lambda file: (order.index(file.split), file.name))
    return Choice(files, [name for name in data if name not in chosen])


def split_of(name: str, where: str) -> str | None:
    """The split that a file's name means, or else the innermost of its folders'; None where none says anything.

    Raises:
        SourceError: it names two (but an archive may hold both).
    """
    for part in reversed(PurePosixPath(name).parts):
        found = {SPLITS[word] for word in _words(part)}
        if len(found) == 1:
            return next(iter(found))
        if found and file_format(name) != "zip":
            raise SourceError(f"{where}: {name} names two splits", "rename it, or name one file as the source")
    return None


def _words(part: str) -> set[str]:
    return set(_BETWEEN_WORDS.split(bare_name(part).casefold())) & set(SPLITS)


def _is_hidden(name: str) -> bool:
    return any(part[0] in "._" for part in PurePosixPath(name).parts)


def _check_twins(chosen: list[str], where: str) -> None:
    """Refuse what is probably one thing twice: ``train.csv`` with ``train.tsv``, ``dev.csv`` with ``val.csv``."""
    stems = [str(PurePosixPath(name).with_name(bare_name(name))) for name in chosen]
    same = [name for name, stem in zip(chosen, stems, strict=True) if stems.count(stem) > 1]
    spellings = {name: {word for word in _words(name) if SPLITS[word] == "validation"} for name in chosen}
    if len(set().union(*spellings.values())) > 1:
        same = [name for name in chosen if spellings[name]]
    if same:
        raise SourceError(
            f"{where}: {', '.join(same)} are in doubt, they may be the same rows twice", "keep one of them there"
        )


def _found(names: Sequence[str]) -> str:
    shown = sorted(names)[:20]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"found: {', '.join(shown)}{more}" if names else "it is empty"
