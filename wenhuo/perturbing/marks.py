"""Text without punctuation, and text in traditional script: nothing is left to chance in either."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from wenhuo.text.masks import TOKEN

if TYPE_CHECKING:
    import opencc

WRITTEN_AS_MARKS = "~～^`|｜＾｀"  # symbols by Unicode, punctuation by use
SHARES = "%％‰"
IN_NUMBERS = ".,:/-~～–—：．"  # 3.5, 1,000, 12:30, 2-3
EMOJI_OF = "\ufe0f\u20e3"  # what follows makes an emoji of a mark: #️⃣ ‼️

_RUNS = re.compile(rf"{TOKEN}|(?:(?!{TOKEN})[^\w\s]|_)+")
_SURROGATES = re.compile("([\ud800-\udfff]+)")


def without_punctuation(text: str) -> str:
    """The text without punctuation, Chinese and ASCII. Symbols, emoji, the tokens of masks and numbers stay whole.

    Between two digits a mark of numbers stays (3.5, 12:30, 2-3), and so does a per cent sign behind one. Where other
    marks stood between Latin letters or digits a space takes their place, but for an apostrophe. A text of nothing but
    marks stays.
    """
    found = _RUNS.sub(_left_of, text)
    return found if found.strip() else text


def _left_of(run: re.Match[str]) -> str:
    marks, text = run[0], run.string
    if len(marks) > 3 and re.fullmatch(TOKEN, marks):
        return marks
    before, after = text[: run.start()][-1:], text[run.end() :][:1]
    if before.isdigit() and (marks[0] in SHARES or (len(marks) == 1 and marks in IN_NUMBERS and after.isdigit())):
        return marks[0]
    kept = "".join(m for m, following in zip(marks, [*marks[1:], after], strict=True) if not _drops(m, following))
    apart = all(c.isascii() and c.isalnum() for c in (before, after)) and marks not in ("'", "’")
    return kept or (" " if apart else "")


def _drops(mark: str, following: str) -> bool:
    punctuation = unicodedata.category(mark).startswith("P") or mark in WRITTEN_AS_MARKS
    return punctuation and following not in tuple(EMOJI_OF)


def traditional(text: str) -> str:
    """The text in traditional characters, by OpenCC's words and characters (s2t); text that is traditional stays so.

    Doing it twice may change a word again where a simplified character is a traditional one as well: OpenCC decides by
    the words around it, and these are others the second time.
    """
    pieces = _SURROGATES.split(text)  # OpenCC cannot read halves of surrogate pairs
    pieces[::2] = [_converter().convert(piece) for piece in pieces[::2]]
    return "".join(pieces)


@cache
def _converter() -> opencc.OpenCC:
    import opencc

    return opencc.OpenCC("s2t")
