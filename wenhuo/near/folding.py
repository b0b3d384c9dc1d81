"""Texts folded to what counts when they are compared: letters, digits and emoji as code points.

Case, width, traditional script, white space, punctuation and mathematical or currency signs make no difference. One
table over all code points says what becomes of each, so that a million texts take seconds.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

CODES = sys.maxunicode + 1
CHARACTERS = (range(0x20000), range(0xE0000, 0xE0200))
"""Code points that are no ideographs of the higher planes: the others fold to themselves."""

DROPPED = frozenset({"Cc", "Cf", "Cs", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "Zl", "Zp", "Zs"})
"""Unicode categories of which nothing is left. So (emoji, ★) stays: 👍 and 👎 are not the same review."""

VARIATIONS = range(0xFE00, 0xFE10)
"""Variation selectors: they choose a glyph and not a character."""

IDEOGRAPHS = slice(0x3400, 0x33480)
"""Extension A to J: where traditional characters stand."""


@dataclass(frozen=True)
class Folded:
    """Folded texts in one flat array.

    Attributes:
        codes: uint32 code points of all texts, one text after the other, never 0.
        offsets: int64, one more than there are texts; text ``i`` is ``codes[offsets[i]:offsets[i + 1]]``.
    """

    codes: NDArray[np.uint32]
    offsets: NDArray[np.int64]


def fold(texts: pl.Series) -> Folded:
    """Fold a column of texts; a text of which nothing counts becomes empty, and so does a null."""
    texts = texts.fill_null("")
    joined = "".join(texts)
    codes = _table()[np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)]
    kept = codes != 0
    before = np.concatenate(([0], np.cumsum(kept)))
    ends = np.concatenate(([0], np.cumsum(texts.str.len_chars().to_numpy(), dtype=np.int64)))
    return Folded(codes[kept], before[ends])


@cache
def _table() -> NDArray[np.uint32]:
    """What each code point folds to, 0 for nothing; about half a second, once a process."""
    table = np.arange(CODES, dtype=np.uint32)
    for code in chain(*CHARACTERS):
        table[code] = _plain(code)
    simplified = table.copy()
    simplified[IDEOGRAPHS] = _simplified(table[IDEOGRAPHS])
    return simplified[simplified[table]]  # 薴 becomes 苧, and that 苎


def _plain(code: int) -> int:
    """Lower case and ordinary width, where that is one character that counts; 0 for what does not count."""
    char = chr(code)
    if not _counts(char):
        return 0
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    return ord(folded) if len(folded) == 1 and _counts(folded) else code


def _counts(char: str) -> bool:
    return unicodedata.category(char) not in DROPPED and ord(char) not in VARIATIONS


def _simplified(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Simplified characters for traditional ones, one by one (OpenCC's dictionary, without its phrases)."""
    from opencc import OpenCC

    ideographs = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    converted = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    singles = [new if len(new) == 1 else old for old, new in zip(ideographs, converted, strict=True)]
    return np.array([ord(char) for char in singles], dtype=np.uint32)
