"""Text from files, cleaned like the corpus and apart from validation and test, gathered into one file of lines.

The corpus's own train texts come first. A line of the files that stands in validation or test, white space aside, is
left out and counted, and so is one that cannot be decoded: pretraining must not see what will be measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl

from wenhuo.console import say
from wenhuo.errors import DataError
from wenhuo.files import read_json
from wenhuo.pretraining.files import find_files
from wenhuo.pretraining.options import Pretraining
from wenhuo.reading.charset import Charset, detect_charset
from wenhuo.reading.lines import Block, read_lines
from wenhuo.reading.packing import unpacked, what_is_inside
from wenhuo.text.cleaning import Cleaning
from wenhuo.text.columns import clean_column
from wenhuo.text.keys import loose_keys

MEASURED = ("validation", "test")
COUNTED = ("lines", "unreadable", "short", "held_back", "kept")


@dataclass(frozen=True)
class Gathered:
    """What was gathered.

    Attributes:
        path: UTF-8, a text a line.
        own: how many of the lines, the first ones, are the corpus's own.
        others: how many are the files'.
        files: for each file its name and encoding, how many lines it has, how many of them are unreadable, short,
            held_back (since they stand in validation or test) and kept.
    """

    path: Path
    own: int
    others: int
    files: list[dict[str, Any]]

    def lines(self) -> Iterator[str]:
        """The texts, one after the other."""
        return lines_of(self.path)


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a file as it is written here: UTF-8, a text a line."""
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from (line.rstrip("\n") for line in file)


def gather(parts: Path | None, options: Pretraining, target: Path) -> Gathered:
    """Write all text to ``target``.

    Args:
        parts: the folder of the stage `split`; None: there is none, and the files are clean and checked already.
        options: the pretraining's.
        target: the file to write; unpacked files wait in its folder.

    Raises:
        SourceError: a file is not there.
        DataError: a file is no text, or there is no text at all.
    """
    cleaning = None if parts is None else Cleaning.model_validate(read_json(parts / "dataset.json")["cleaning"])
    measured = _measured(parts, cleaning)
    with target.open("w", encoding="utf-8", newline="\n") as out:
        own = 0 if parts is None else _write(out, pl.read_parquet(parts / "train.parquet", columns=["text"])["text"])
        files = [_read(path, options, cleaning, measured, out) for path in find_files(options.text)]
    others = sum(file["kept"] for file in files)
    if not others + (own if options.own_text else 0):
        raise DataError("pretrain: the files hold no line of text that may be used", "see data/texts, and bring more")
    return Gathered(target, own, others, files)


def _measured(parts: Path | None, cleaning: Cleaning | None) -> pl.Series:
    """The keys of validation's and test's texts; those of the files are cleaned and compared with these."""
    if parts is None or cleaning is None:
        return pl.Series("text", [], dtype=pl.String)
    tables = [pl.read_parquet(parts / f"{split}.parquet", columns=["text"]) for split in MEASURED]
    cleaned, _ = clean_column(pl.concat(tables)["text"], cleaning)
    return _keys(cleaned).unique()


def _keys(texts: pl.Series) -> pl.Series:
    return texts.to_frame("text").select(loose_keys(pl.col("text"))).to_series()


def _write(out: IO[str], texts: pl.Series) -> int:
    """Write texts as lines, line ends inside them as spaces; return how many."""
    out.writelines(f"{text}\n" for text in texts.str.replace_all(r"[\r\n]+", " "))
    return len(texts)


def _read(
    path: Path, options: Pretraining, cleaning: Cleaning | None, measured: pl.Series, out: IO[str]
) -> dict[str, Any]:
    """Write what is kept of a file; return what became of its lines."""
    counts = dict.fromkeys(COUNTED, 0)
    with opened(path, Path(out.name).parent) as (charset, blocks):
        for block in blocks:
            texts = _readable(block.lines, counts)
            _keep(texts, options, cleaning, measured, out, counts)
    left_out = ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in COUNTED[1:-1] if counts[name])
    say(f"pretrain: {path.name}, {counts['kept']:,} of {counts['lines']:,} lines{left_out and f' ({left_out})'}")
    return {"file": path.name, "encoding": str(charset), **counts}


@contextmanager
def opened(path: Path, scratch: Path) -> Iterator[tuple[Charset, Iterator[Block]]]:
    """The lines of a file of text, packed or not, and what they are encoded in.

    Args:
        path: the file.
        scratch: a folder where it may be unpacked.

    Raises:
        DataError: it is no text.
    """
    with unpacked(path, str(path), scratch) as plain:
        _check(plain, path)
        charset = detect_charset(plain, str(path))
        yield charset, read_lines(plain, charset)


def _check(plain: Path, path: Path) -> None:
    found = what_is_inside(plain)
    if found:
        raise DataError(f"{path} is no text but {found}", "give plain text, a paragraph a line")


def decoded(line: str) -> bool:
    """Whether a line could be decoded: polars takes no lone surrogate, which stands for a byte that could not."""
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(lines: list[str], counts: dict[str, int]) -> pl.Series:
    readable = [line for line in lines if decoded(line)]
    counts["lines"] += len(lines)
    counts["unreadable"] += len(lines) - len(readable)
    return pl.Series("text", readable, dtype=pl.String)


def _keep(
    texts: pl.Series,
    options: Pretraining,
    cleaning: Cleaning | None,
    measured: pl.Series,
    out: IO[str],
    counts: dict[str, int],
) -> None:
    cleaned = texts if cleaning is None else clean_column(texts, cleaning)[0]
    keys = _keys(cleaned)
    long_enough = keys.str.len_chars() >= options.min_characters
    allowed = ~keys.is_in(measured.implode())
    counts["short"] += int((~long_enough).sum())
    counts["held_back"] += int((long_enough & ~allowed).sum())
    counts["kept"] += _write(out, cleaned.filter(long_enough & allowed))
