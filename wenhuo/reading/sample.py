"""The built-in sample: a folder of synthetic Chinese reviews in the formats and encodings that people really have.

About 4,000 reviews of hotels, books and laptops, labelled negative, neutral or positive, written by a grammar
(``sample_grammar.yaml``); nobody's words. What is wrong with them is planted in known numbers: ``PLANTED``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wenhuo.files import whole
from wenhuo.reading.sample_corpus import PLANTED, ROWS, Row, sample_rows
from wenhuo.reading.sample_text import LABELS

__all__ = ["ENCODINGS", "LABELS", "PLANTED", "ROWS", "write_sample"]

ENCODINGS: Mapping[str, str] = {
    "train-hotels.csv": "utf-8",
    "train-books.csv": "gb18030",
    "train-laptops.jsonl": "utf-8",
    "dev.csv": "utf-8-sig",
    "test.tsv": "utf-8",
}
"""File name to its encoding."""

HEADER = ("text", "label")
EXTRA_COLUMN = ("房间没的说", "早餐也行", "positive")
MISSING_LABEL = ("看到一半才想起来写评论，忘了打分", "")


def write_sample(folder: Path, seed: int = 13) -> None:
    """Write the sample's five files; equal seeds give equal bytes.

    Args:
        folder: made when it is missing; files of the same names are replaced.
        seed: another seed gives other reviews with the same counts of rows and of planted defects.
    """
    for name, content in _contents(sample_rows(seed)).items():
        with whole(folder / name) as path:
            path.write_bytes(content.encode(ENCODINGS[name]))


def _contents(rows: Sequence[Row]) -> dict[str, str]:
    """File name to text. Lines end with CRLF in two of the files, as spreadsheets write them."""
    hotels = _cells(rows, "train", "hotel")
    books = _cells(rows, "train", "book")
    hotels.insert(len(hotels) // 2, EXTRA_COLUMN)
    books.insert(len(books) // 2, MISSING_LABEL)
    return {
        "train-hotels.csv": _csv(hotels, "\n"),
        "train-books.csv": _csv(books, "\r\n"),
        "train-laptops.jsonl": _json_lines(_cells(rows, "train", "laptop")),
        "dev.csv": _csv(_cells(rows, "validation"), "\r\n"),
        "test.tsv": _tsv(_cells(rows, "test")),
    }


def _cells(rows: Iterable[Row], part: str, domain: str | None = None) -> list[tuple[str, ...]]:
    return [(row.text, row.label) for row in rows if row.part == part and domain in (None, row.domain)]


def _csv(cells: Iterable[tuple[str, ...]], line_end: str) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=line_end).writerows([HEADER, *cells])
    return buffer.getvalue()


def _tsv(cells: Iterable[tuple[str, ...]]) -> str:
    """Tab-separated without quoting: a ``"`` is a character like any other."""
    return "".join("\t".join(row) + "\n" for row in [HEADER, *cells])


def _json_lines(cells: Iterable[tuple[str, ...]]) -> str:
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) + "\n" for row in cells)
