"""Keys that texts are compared by, and how Chinese a text is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

CHINESE = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\U00030000-\U0003347f"
"""Chinese characters as the inside of a character class: 〇, unified ideographs, extensions A to J, compatibility."""

SPACE = r"\s\x1c-\x1f"
"""White space as the inside of a character class, for Python's `re` and for polars (whose \\s lacks the last four)."""

_CHINESE = re.compile(f"[{CHINESE}]")


def loose_key(text: str) -> str:
    """The text without any white space: two texts with the same key are the same text."""
    return "".join(text.split())


def loose_keys(texts: pl.Expr) -> pl.Expr:
    """``loose_key`` of a whole polars column."""
    return texts.str.replace_all(f"[{SPACE}]+", "")


def is_chinese(char: str) -> bool:
    """Whether one character is a Chinese one (an ideograph: kanji and hanja are the same characters)."""
    return _CHINESE.fullmatch(char) is not None


def chinese_share(text: str) -> float:
    """The share of Chinese characters among those that are not white space, 0 to 1; 0 for a blank text."""
    key = loose_key(text)
    return len(_CHINESE.findall(key)) / len(key) if key else 0.0
