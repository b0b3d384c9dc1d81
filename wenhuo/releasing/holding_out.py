"""Lines of text that stand in an evaluation set are left out and listed: nobody learns what he is measured on.

Lines are cleaned as the corpus of a graph is by default, then compared by their letters and digits alone, in one case:
white space, punctuation and marks aside. Evaluation sets are read without knowing their columns: every field of their
lines counts, and every string of JSON lines.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import polars as pl

from wenhuo.console import say
from wenhuo.errors import DataError
from wenhuo.files import whole
from wenhuo.pretraining.files import find_files
from wenhuo.pretraining.texts import decoded, opened
from wenhuo.reading.lines import Block
from wenhuo.text.cleaning import Cleaning
from wenhuo.text.columns import clean_column

CLEANING = Cleaning()
COUNTED = ("lines", "unreadable", "short", "held_back", "kept")
SHORTEST = 4
"""Fields of fewer letters and digits are labels and numbers, no texts."""


def hold_out(text: list[str], evaluation: list[str], shortest: int, lines: Path, left_out: Path) -> dict[str, Any]:
    """Write the lines that may be learnt from, cleaned, and list those that may not.

    Args:
        text: files and globs: a paragraph a line, packed or not.
        evaluation: files and globs of what the backbone will be measured on.
        shortest: lines of fewer letters and digits are left out as well.
        lines: where the lines go, UTF-8.
        left_out: a table of tab-separated values: file, number of the line, evaluation file, the line.

    Returns:
        For each file what became of its lines; for each evaluation file how many texts it has and how many lines of
        the text stood in it.

    Raises:
        SourceError: a file is not there.
        DataError: a file is no text, or nothing is left.
    """
    with whole(lines) as made, whole(left_out) as listed:
        owner = _owners(find_files(evaluation) if evaluation else [], made.parent)
        with made.open("w", encoding="utf-8", newline="\n") as out, listed.open("w", encoding="utf-8") as table:
            table.write("file\tline\tstands in\ttext\n")
            files = [_sift(path, owner, shortest, out, table) for path in find_files(text)]
        if not sum(file["kept"] for file in files):
            raise DataError("no line of the text is left", "bring text that is no evaluation set")
        found = pl.read_csv(listed, separator="\t", quote_char=None, infer_schema=False)["stands in"]
    sets = owner["file"].value_counts().sort("file")
    stood = dict(found.value_counts().iter_rows())
    return {
        "files": files,
        "evaluation": [{"file": name, "texts": count, "held_back": stood.get(name, 0)} for name, count in sets.rows()],
    }


def keys(texts: pl.Series) -> pl.Series:
    """What texts are compared by: their letters and digits, in lower case."""
    return texts.str.replace_all(r"[^\p{L}\p{N}]+", "").str.to_lowercase()


def _owners(files: list[Path], scratch: Path) -> pl.DataFrame:
    """Each key of the evaluation sets, and the first file that holds it."""
    tables = [pl.DataFrame({"key": [], "file": []}, schema={"key": pl.String, "file": pl.String})]
    for path in files:
        kept = keys(texts_of(path, scratch)).unique().sort()
        tables.append(pl.DataFrame({"key": kept, "file": pl.Series([path.name] * len(kept), dtype=pl.String)}))
    return pl.concat(tables).unique("key", keep="first", maintain_order=True)


def texts_of(path: Path, scratch: Path) -> pl.Series:
    """The different texts of a data set in any layout, cleaned; what is too short for one is a label or a number.

    Args:
        path: the file.
        scratch: a folder where it may be unpacked.
    """
    with opened(path, scratch) as (_, blocks):
        lines = (line.rstrip("\r") for block in blocks for line in block.lines if decoded(line))
        fields = pl.Series("key", list(dict.fromkeys(_fields(lines, path))), dtype=pl.String)
    cleaned = clean_column(fields, CLEANING)[0]
    return cleaned.filter(keys(cleaned).str.len_chars() >= SHORTEST)


def _fields(lines: Iterable[str], path: Path) -> Iterator[str]:
    """Everything in the lines that may be a text."""
    if ".csv" in path.suffixes:
        for row in csv.reader(lines):
            yield from row
        return
    for line in lines:
        strings = _strings(line) if line[:1] in {"{", "["} else None
        yield from line.split("\t") if strings is None else strings


def _strings(line: str) -> list[str] | None:
    """All strings in a line of JSON; None when it is something else."""
    try:
        pending = [json.loads(line)]
    except ValueError:
        return None
    found = []
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value
    return found


def _sift(path: Path, owner: pl.DataFrame, shortest: int, out: IO[str], table: IO[str]) -> dict[str, Any]:
    """Write what is kept of a file and list what is held back; return what became of its lines."""
    counts = dict.fromkeys(COUNTED, 0)
    with opened(path, Path(out.name).parent) as (charset, blocks):
        for block in blocks:
            _sift_block(block, path.name, owner, shortest, out, table, counts)
    say(f"hold out: {path.name}, {counts['kept']:,} of {counts['lines']:,} lines, {counts['held_back']:,} held back")
    return {"file": path.name, "encoding": str(charset), **counts}


def _sift_block(
    block: Block, name: str, owner: pl.DataFrame, shortest: int, out: IO[str], table: IO[str], counts: dict[str, int]
) -> None:
    numbered = [(block.first + i, line.rstrip("\r")) for i, line in enumerate(block.lines) if decoded(line)]
    frame = pl.DataFrame(numbered, schema={"line": pl.Int64, "text": pl.String}, orient="row")
    cleaned = clean_column(frame["text"], CLEANING)[0]
    frame = frame.with_columns(cleaned.alias("text"), keys(cleaned).alias("key"))
    long = frame.filter(pl.col("key").str.len_chars() >= shortest)
    joined = long.join(owner, on="key", how="left", maintain_order="left")
    kept, held = joined.filter(pl.col("file").is_null()), joined.filter(pl.col("file").is_not_null())
    out.writelines(f"{text}\n" for text in kept["text"])
    table.writelines(
        f"{name}\t{line}\t{file}\t{text}\n" for line, file, text in held.select("line", "file", "text").rows()
    )
    counts["lines"] += len(block.lines)
    counts["unreadable"] += len(block.lines) - frame.height
    counts["short"] += frame.height - long.height
    counts["held_back"] += held.height
    counts["kept"] += kept.height
