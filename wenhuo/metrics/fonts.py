"""A font for the class names: Chinese where one is installed, numbers for the classes where none is.

Matplotlib draws a box for a character that its font lacks. Boxes say nothing, so names that cannot be drawn are
replaced by the classes' numbers. The project ships no font and needs none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

BASE = "DejaVu Sans"  # comes with matplotlib
FILES = (
    "NotoSansCJK-Regular",
    "NotoSansCJKsc-Regular",
    "NotoSansSC-Regular",
    "NotoSansSC[wght]",
    "NotoSansSC-VariableFont_wght",
    "SourceHanSansSC-Regular",
    "SourceHanSansCN-Regular",
    "SourceHanSans-Regular",
    "wqy-microhei",
    "wqy-zenhei",
    "msyh",
    "PingFang",
    "Hiragino Sans GB",
    "STHeiti Light",
    "STHeiti Medium",
    "simhei",
    "DroidSansFallbackFull",
    "DroidSansFallback",
    "Arial Unicode",
    "simsun",
    "uming",
    "ukai",
)
"""File names, without endings, of common fonts with Chinese characters, the preferred first: Linux, Windows, macOS."""

LONGEST = 18  # columns of a name in a picture; a Chinese character takes two


@cache
def chinese_font() -> Path | None:
    """The file of an installed font with Chinese characters, ``None`` when none of ``FILES`` is there.

    They are looked for once a process: matplotlib's own list is a cache on disk that misses newly installed fonts.
    """
    found = {Path(path).stem.lower(): path for path in sorted(font_manager.findSystemFonts())}
    return next((Path(found[name.lower()]) for name in FILES if name.lower() in found), None)


def families() -> list[str]:
    """The font families to draw with, matplotlib's own first; the found font is made known to matplotlib."""
    path = chinese_font()
    if path is None:
        return [BASE]
    font_manager.fontManager.addfont(path)
    return [BASE, font_manager.FontProperties(fname=path).get_name()]


def drawable(names: Sequence[str]) -> bool:
    """Whether the fonts at hand have every character of the names."""
    return all(_has_glyph(character) for name in names for character in plain(name))


def spelled(text: str) -> str:
    """The text with a question mark for each character that has no font."""
    return "\n".join("".join(c if _has_glyph(c) else "?" for c in plain(line)) for line in text.splitlines())


def readable(names: Sequence[str], *, unnamed: str = "") -> list[str]:
    """The names as they can be drawn: shortened, no two alike; ``unnamed`` 1, 2, 3 … when a character has no font."""
    if not drawable(names):
        return [f"{unnamed}{number}" for number in range(1, len(names) + 1)]
    short = [shortened(plain(name)) for name in names]
    return [f"{name} ({number})" if short.count(name) > 1 else name for number, name in enumerate(short, start=1)]


def plain(name: str) -> str:
    """The name on one line, without control characters."""
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in name).split()) or "(blank)"


def width(name: str) -> int:
    """The columns that a name takes: two for a Chinese character, one for a Latin letter."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in name)


def shortened(name: str, most: int = LONGEST) -> str:
    """The name, cut after ``most`` columns with an ellipsis."""
    if width(name) <= most:
        return name
    while width(name) > most - 1:
        name = name[:-1]
    return f"{name}…"


def _has_glyph(character: str) -> bool:
    found = chinese_font()
    files = [font_manager.findfont(BASE), *([str(found)] if found else [])]
    return any(ord(character) in _characters(file) for file in files)


@cache
def _characters(path: str) -> frozenset[int]:
    return frozenset(FT2Font(path).get_charmap())
