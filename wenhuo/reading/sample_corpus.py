"""The sample's rows: reviews that the grammar wrote, and the defects planted among them in known numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from types import MappingProxyType

from wenhuo.reading import sample_marks as marks
from wenhuo.reading.sample_text import DOMAINS, LABELS, write_review

ROWS = {"train": 3120, "validation": 400, "test": 480}
"""Rows that can be read; two more lines of the training files cannot."""

PLANTED: Mapping[str, int] = MappingProxyType(
    {
        "repeats": 120,  # rows of train that repeat another row of train exactly
        "repeats_in_disguise": 30,  # … but for white space or full-width letters and digits
        "test_rows_in_train": 60,
        "validation_rows_in_train": 40,
        "contradicting_texts": 12,  # texts of train that stand there twice, with different labels
        "full_width": 55,  # rows of all files with full-width letters or digits, 15 of them repeats in disguise
        "traditional": 40,  # rows of all files in traditional characters
        "web_remains": 40,  # rows of all files with HTML tags or entities
        "zero_width": 30,  # rows of all files with invisible marks
        "rare": 6,  # rows with ideographs that take four bytes in GB18030, in the file of that encoding
        "line_breaks": 10,  # rows whose text goes over two lines inside quotes
        "labels_with_spaces": 24,  # rows of all files whose label ends with a space, half of them full-width
        "blank": 8,  # rows whose text is white space
        "missing_label": 1,  # unreadable: a row without its label
        "extra_column": 1,  # unreadable: a row whose text holds an unquoted comma
    }
)

SHARES = (0.38, 0.24, 0.38)  # of the labels, before the noise
NOISE = 0.025  # share of the rows whose label is wrong, in every part alike
BLANKS = (" ", "\u3000", "   ", "\u3000\u3000", " \u3000 ", "\u00a0", "\u3000 ", "  ")


@dataclass(frozen=True)
class Row:
    """One row: ``place`` between 0 and 1 orders the rows of a file."""

    text: str
    label: str
    domain: str
    part: str
    place: float


@dataclass
class Pool:
    """The reviews, and which of them no defect has touched yet: each gets one at most, so that the counts are exact."""

    rng: Random
    rows: list[Row]
    untouched: list[int]

    def take(self, count: int, fits: Callable[[Row], bool]) -> list[int]:
        """The places in ``rows`` of the next ``count`` untouched rows that fit."""
        taken = list(islice((index for index in self.untouched if fits(self.rows[index])), count))
        gone = set(taken)
        self.untouched = [index for index in self.untouched if index not in gone]
        return taken

    def change(self, count: int, fits: Callable[[Row], bool], change: Callable[[str], str]) -> None:
        """Change the texts of ``count`` untouched rows that fit."""
        for index in self.take(count, fits):
            self.rows[index] = replace(self.rows[index], text=change(self.rows[index].text))

    def copies(self, count: int, part: str, fits: Callable[[Row], bool] = bool) -> list[Row]:
        """Copies for train of ``count`` untouched rows of ``part``; a copy of a train row comes after it."""
        originals = [self.rows[index] for index in self.take(count, lambda row: row.part == part and fits(row))]
        return [replace(row, part="train", place=self.rng.uniform(_earliest(row), 1.0)) for row in originals]


def sample_rows(seed: int) -> list[Row]:
    """All readable rows, in the order of their places; the counts are ``ROWS`` and ``PLANTED`` for every seed."""
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    rows = _reviews(rng)
    pool = Pool(rng, rows, rng.sample(range(len(rows)), len(rows)))
    _mark(pool)
    added = [*_repeats(pool), *_contradictions(pool), *_blanks(rng)]
    return sorted(pool.rows + added, key=lambda row: row.place)


def same_text(text: str) -> str:
    """What is left of a text without case, width, white space and punctuation: no two reviews share it by chance."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _reviews(rng: Random) -> list[Row]:
    copies = (
        "repeats",
        "repeats_in_disguise",
        "test_rows_in_train",
        "validation_rows_in_train",
        "contradicting_texts",
        "blank",
    )
    wanted = ROWS | {"train": ROWS["train"] - sum(PLANTED[name] for name in copies)}
    seen: set[str] = {""}
    rows = []
    for part, count in wanted.items():
        for number in range(count):
            rows.append(_review(rng, DOMAINS[number % len(DOMAINS)], part, seen))
    return rows


def _review(rng: Random, domain: str, part: str, seen: set[str]) -> Row:
    """A review unlike those seen, whose label is wrong now and then."""
    label = rng.choices(LABELS, SHARES)[0]
    text = write_review(rng, domain, label)
    while same_text(text) in seen or len(text) < 5:
        text = write_review(rng, domain, label)
    seen.add(same_text(text))
    if rng.random() < NOISE:
        label = _another_label(rng, label)
    return Row(text, label, domain, part, rng.random())


def _another_label(rng: Random, label: str) -> str:
    return rng.choice([other for other in LABELS if other != label])


def _mark(pool: Pool) -> None:
    """Change some reviews and labels in place."""
    rng = pool.rng
    pool.change(
        PLANTED["rare"],
        lambda row: row.domain == "book" and row.part == "train",
        lambda text: text + rng.choice(marks.RARE),
    )
    pool.change(
        PLANTED["line_breaks"],
        lambda row: row.domain == "hotel" and row.part == "train" and "，" in row.text,
        marks.broken_line,
    )
    pool.change(PLANTED["full_width"] - PLANTED["repeats_in_disguise"] // 2, _has_narrow, marks.full_width)
    pool.change(PLANTED["traditional"], _has_simplified, marks.traditional)
    pool.change(PLANTED["web_remains"], lambda row: "，" in row.text, lambda text: marks.web_remains(text, rng))
    pool.change(PLANTED["zero_width"], bool, lambda text: marks.zero_width(text, rng))
    for number, index in enumerate(pool.take(PLANTED["labels_with_spaces"], bool)):
        pool.rows[index] = replace(pool.rows[index], label=pool.rows[index].label + (" ", "\u3000")[number % 2])


def _repeats(pool: Pool) -> list[Row]:
    """Rows that stand in train once more, as they are or in disguise."""
    half = PLANTED["repeats_in_disguise"] // 2
    wide = [replace(row, text=marks.full_width(row.text)) for row in pool.copies(half, "train", _has_narrow)]
    spaced = [
        replace(row, text=marks.respaced(row.text, pool.rng))
        for row in pool.copies(half, "train", lambda row: "，" in row.text)
    ]
    exact = pool.copies(PLANTED["repeats"], "train")
    leaked = pool.copies(PLANTED["test_rows_in_train"], "test") + pool.copies(
        PLANTED["validation_rows_in_train"], "validation"
    )
    return wide + spaced + exact + leaked


def _contradictions(pool: Pool) -> list[Row]:
    copies = pool.copies(PLANTED["contradicting_texts"], "train")
    return [replace(row, label=_another_label(pool.rng, row.label)) for row in copies]


def _blanks(rng: Random) -> list[Row]:
    return [
        Row(text, rng.choice(LABELS), DOMAINS[number % len(DOMAINS)], "train", rng.random())
        for number, text in enumerate(BLANKS[: PLANTED["blank"]])
    ]


def _earliest(row: Row) -> float:
    return row.place if row.part == "train" else 0.0


def _has_narrow(row: Row) -> bool:
    return marks.full_width(row.text) != row.text


def _has_simplified(row: Row) -> bool:
    return sum(a != b for a, b in zip(row.text, marks.traditional(row.text), strict=True)) >= 3
