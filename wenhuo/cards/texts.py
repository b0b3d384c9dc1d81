"""What the train texts are like: how long they are, and in which script they are written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wenhuo.text.script import mark

SAMPLE = 20_000
"""Rows whose characters are counted; they lie in the order of the hash of their ids, so the first ones are a sample."""
SCRIPTS = {
    "Chinese": r"\p{Han}",
    "Japanese kana": r"[\p{Hiragana}\p{Katakana}]",
    "Korean": r"\p{Hangul}",
    "Latin": r"\p{Latin}",
    "Cyrillic": r"\p{Cyrillic}",
    "Arabic": r"\p{Arabic}",
}


@dataclass(frozen=True)
class Texts:
    """The train texts.

    Attributes:
        rows: how many there are.
        median: of their lengths in characters.
        p99: so long is one in a hundred, or longer.
        longest: of all.
        scripts: script to its share of the letters, the largest first; those below 0.1 % are left out.
        traditional: the share of traditional forms among the Chinese characters.
    """

    rows: int
    median: int
    p99: int
    longest: int
    scripts: dict[str, float]
    traditional: float

    @property
    def language(self) -> str | None:
        """``zh`` where the texts are written in Chinese characters and without kana; else nothing is claimed."""
        chinese, kana = self.scripts.get("Chinese", 0.0), self.scripts.get("Japanese kana", 0.0)
        return "zh" if chinese >= 0.5 and kana < 0.02 else None


def describe_texts(path: Path) -> Texts | None:
    """Look at the train rows in a Parquet file; None where there is no row."""
    texts = pl.scan_parquet(path).select("text")
    lengths = texts.select(pl.col("text").str.len_chars()).collect(engine="streaming")["text"]
    if not len(lengths):
        return None
    median, p99, longest = (int(lengths.quantile(q, "nearest") or 0) for q in (0.5, 0.99, 1.0))
    sample = texts.head(SAMPLE).collect()["text"]
    counts = {name: int(sample.str.count_matches(pattern).sum()) for name, pattern in SCRIPTS.items()}
    letters, chinese = max(1, sum(counts.values())), max(1, counts["Chinese"])
    ranked = sorted(counts.items(), key=lambda one: -one[1])
    shares = {name: round(count / letters, 6) for name, count in ranked if count / letters >= 0.001}
    traditional = round(int(sample.str.count_matches(mark()).sum()) / chinese, 6)
    return Texts(len(lengths), median, p99, longest, shares, traditional)
