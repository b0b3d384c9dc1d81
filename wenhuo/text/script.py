"""Traditional characters to simplified ones, by OpenCC's words and characters (t2s).

One character becomes one character. Converting twice must equal converting once, and sound simplified text must stay;
OpenCC by itself grants neither: it knows 乾清宮 → 乾清宫 by the traditional form, and turns 乾清宫 into 干清宫.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import opencc

# The simplified forms in OpenCC's word list that it would change again, and halves of surrogate pairs, which it cannot
# read. They are kept from it.
_SETTLED = re.compile(
    "([\ud800-\udfff]+|大目乾连冥间救母变文|变徵之声|变徵之音|幺麽小丑|旋乾转坤|颠乾倒坤|乾清宫|张法乾|於梨华|麽些族|乾县|乾图|乾断|乾纲|变徵"
    "|幺麽|徵声|徵调|於伦|於则|於单|於戏|於潜|毕昇|笃麽|芸薹|萧乾)"
)

# OpenCC changes these in some words only (反覆 → 反复, 明瞭 → 明了); every such word holds one of them.
_CHANGED_IN_WORDS = "藉覆瞭沈衹"

_OUTSIDE = "\U00020000-\U00033fff"  # a range, for `re` takes 70 times as long for single characters of these planes


def simplified(text: str) -> str:
    """The text in simplified characters."""
    if not _mark().search(text):
        return text
    pieces = _SETTLED.split(text)
    pieces[::2] = [_converter().convert(piece) for piece in pieces[::2]]
    return "".join(pieces)


@cache
def mark() -> str:
    """A pattern that every text holds which ``simplified`` changes: the characters that OpenCC may change."""
    every = [chr(code) for code in (*range(0x2E80, 0xA000), *range(0xF900, 0xFB00))]
    converted = _converter().convert("\n".join(every)).split("\n")
    changed = [char for char, other in zip(every, converted, strict=True) if char != other]
    return f"[{_OUTSIDE}{_CHANGED_IN_WORDS}{''.join(changed)}]"


@cache
def _mark() -> re.Pattern[str]:
    return re.compile(mark())


@cache
def _converter() -> opencc.OpenCC:
    import opencc

    return opencc.OpenCC("t2s")
