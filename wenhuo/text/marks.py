"""Emoji by their names, long runs of one character cut, and the stripping of punctuation that tutorials advise."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from wenhuo.text.masks import TOKEN

EMOJI = "[©®‼⁉™ℹ←-⇿⌀-➿⤴⤵⬀-⯿〰〽㊗㊙\U0001f000-\U0001faff\u20e3]"
"""A character that every emoji holds (the sign for a key, U+20E3, makes emoji of digits)."""

MARK = r"[^\w\s]|_"
"""What ``without_punctuation`` may take."""

_EMOJI = re.compile(EMOJI)
_MARKS = re.compile(rf"{TOKEN}|(?:(?!{TOKEN})[^\w\s]|_)+")
_ADDED = "\ufe0e\ufe0f\u20e3"  # what makes emoji of characters, and is nothing without them


def named_emoji(text: str) -> str:
    """Every emoji as its Chinese name in brackets, the way Weibo writes its own: ``[笑哭了]``."""
    if not _EMOJI.search(text):
        return text
    import emoji

    return str(emoji.demojize(text, delimiters=("[", "]"), language="zh"))


@cache
def longer_runs(length: int) -> re.Pattern[str]:
    """Runs of one character that are longer, neither digits (10000) nor white space nor the www of an address."""
    return re.compile(rf"(?!(?i:www\.))([^\d\s])\1{{{length},}}")


def shortened_runs(text: str, length: int) -> str:
    """The text with longer runs of one character cut to this length: 好好好好好, ！！！！！."""
    return longer_runs(length).sub(lambda run: run[1] * length, text)


def without_punctuation(text: str) -> str:
    """The text without punctuation and symbols; letters of any script, digits and the tokens of ``masks`` stay.

    Where a mark stood between two characters that are not Chinese ones a space takes its place, so that ``it,works``
    is two words still.
    """
    return _MARKS.sub(_place_of, text)


def _place_of(marks: re.Match[str]) -> str:
    found = marks[0]
    if len(found) > 3 and re.fullmatch(TOKEN, found):
        return found
    kept = "".join(char for char in found if unicodedata.category(char)[0] not in "PS" and char not in _ADDED)
    before, after = marks.string[: marks.start()][-1:], marks.string[marks.end() :][:1]
    between = before.isascii() and after.isascii() and before.isalnum() and after.isalnum()
    return kept or (" " if between else "")
