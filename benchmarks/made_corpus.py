"""Made corpora of any size: Chinese-looking reviews with the defects that real ones have, at known rates.

Words are random strings of the 3,755 commonest characters (the first level of GB 2312), drawn by Zipf's law, so that
n-grams have the skew of a language; lengths are log-normal with a median of about 40 characters. Nothing is read.
"""

from __future__ import annotations

import csv
import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

WORDS = 50_000
MEDIAN_WORDS = 18
SPREAD = 0.7  # of the logarithm of the length; ChnSentiCorp's 90 % quantile is 2.5 times its median
DEFECTS = ("repeated", "edited", "marked", "wide", "blank", "")
SHARES = (0.05, 0.03, 0.01, 0.02, 0.0005)
LABELS = ("positive", "negative", "neutral")


def common_characters() -> str:
    """The first level of GB 2312, rows 16 to 55 (row 55 has five places without a character)."""
    places = (bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return b"".join(places).decode("gb2312", "ignore")


def write_corpus(path: Path, rows: int, seed: int = 13) -> dict[str, int]:
    """Write a CSV with the columns text and label; return how many rows have which planted defect."""
    planted = dict.fromkeys(DEFECTS, 0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        for text, label, defect in _rows(rows, seed):
            writer.writerow((text, label))
            planted[defect] += 1
    return {name: count for name, count in planted.items() if name}


def _rows(rows: int, seed: int) -> Iterator[tuple[str, str, str]]:
    draw = random.Random(seed)
    characters = common_characters()
    words = ["".join(draw.choices(characters, k=draw.choice((1, 2, 2, 2, 3)))) for _ in range(WORDS)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(WORDS)))
    kept: list[tuple[str, str]] = []
    for number in range(rows):
        count = max(2, round(MEDIAN_WORDS * draw.lognormvariate(0, SPREAD)))
        pieces = draw.choices(words, cum_weights=weights, k=count)
        pieces[count // 2] += "，"
        text, label = "".join(pieces) + "。", draw.choices(LABELS, (5, 4, 1))[0]
        text, label, defect = _spoilt(text, label, draw, kept)
        if number < 10_000:
            kept.append((text, label))
        elif number % 100 == 0:  # copies are taken from all over the corpus
            kept[draw.randrange(len(kept))] = (text, label)
        yield text, label, defect


def _spoilt(text: str, label: str, draw: random.Random, kept: list[tuple[str, str]]) -> tuple[str, str, str]:
    """The row with at most one defect, and its name."""
    name = DEFECTS[bisect(_SHARES, draw.random())]
    if name == "" or (name in ("repeated", "edited") and not kept):
        return text, label, ""
    if name in ("repeated", "edited"):
        text, label = draw.choice(kept)
        if name == "edited" and len(text) > 1:
            at = draw.randrange(len(text))
            text = text[:at] + "改" + text[at + 1 :]
    elif name == "marked":
        text = f"<p>{text}</p>&nbsp;"
    elif name == "wide":
        text = f"ＡＢＣ１２３{text}"
    else:
        text = " "
    return text, label, name


_SHARES = tuple(accumulate(SHARES))
