"""Cleaning a text: the same steps, in the same order, before training, evaluation and serving.

The order is html, controls, width, unicode, whitespace. A step may uncover work for an earlier one
(``&amp;lt;br&amp;gt;`` decodes to ``&lt;br&gt;`` and then to a tag), so the steps are repeated until nothing changes;
a cleaned text cleaned again is therefore the same text. Only characters that a step is about are touched: Chinese
characters stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import Field

from wenhuo.settings import Section
from wenhuo.text.html import without_html

ROUNDS = 10
"""Rounds of all steps. Markup wrapped deeper than this was written to cause trouble, see ``_disarm``."""


class Cleaning(Section):
    """The steps of cleaning, each a switch."""

    unicode: Literal["nfkc", "nfc", "none"] = Field(
        "nfkc",
        description="The Unicode form. nfkc folds compatibility characters (①, ㎡, ﬁ, half-width katakana) and leaves "
        "Chinese punctuation and whatever `width` is about alone; nfc only composes; none changes nothing.",
    )
    width: bool = Field(True, description="Whether full-width letters, digits and spaces become half-width.")
    html: bool = Field(True, description="Whether tags are removed and entities become characters.")
    controls: bool = Field(True, description="Whether control, zero-width and bidirectional marks are removed.")
    whitespace: bool = Field(True, description="Whether a run of white space becomes one space, with none at the ends.")


# A text of nothing but these characters with single spaces inside is clean already, whatever the steps are: no `&` or
# `<`, nothing that a Unicode form changes or composes with its neighbour. Most texts are like that, so this one match
# decides the speed. Printable ASCII, Latin-1 letters, dashes and quotation marks, CJK punctuation, kana, ideographs,
# full-width punctuation.
PLAIN = "!-%'-;=-~·×÷À-ÖØ-öø-ÿ—‘’“”…、-〟ぁ-ゖァ-ヾ㐀-䶿一-鿿！（），：；？～"
_PLAIN = re.compile(f"(?:[{PLAIN}]++(?: [{PLAIN}]++)*+)?")

# Marks that NFKC would turn into ASCII and that Chinese writes this way: vertical and small forms, the dots, and the
# full-width marks without business in numbers, addresses and formulas: ％ ＠ ＃ ． ／ ＋ become ASCII, ， ！ （ do not.
# ＆ ＜ ＞ are among them because _disarm needs marks that no step turns back.
_KEPT_MARKS = "‥…︐-︙︰-﹏﹐-﹫！＆（），：；＜＞？［］｛｝～｟｠"
_WIDE = "\u3000０-９Ａ-Ｚａ-ｚ"
_KEPT = re.compile(f"([{_KEPT_MARKS}{_WIDE}]+)")
_WIDE_FORMS = re.compile(f"[{_WIDE}]")
_HALF_WIDTH = {0x3000: " "} | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}

_LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Joiners stay inside emoji sequences and between letters of the scripts from Arabic to Khmer, which spell with them.
_EMOJI = "©®‼⁉™ℹ←-⇿⌀-➿⤴⤵⬀-⯿\U0001f000-\U0001faff"
_SPELLING = "\u0600-\u109f\u1780-\u17ff"
_UNSEEN = re.compile(
    "[\0-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\U0001d173-\U0001d17a\U000e0001]"
    f"|(?<![{_SPELLING}])\u200c|\u200c(?![{_SPELLING}])"
    f"|(?<![{_SPELLING}{_EMOJI}\ufe0f])\u200d|\u200d(?![{_SPELLING}{_EMOJI}])"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"[\s\u2800]+")


def clean_text(text: str, steps: Cleaning) -> str:
    """The cleaned text; cleaning it again changes nothing."""
    return _clean(text, steps, set())


def clean_texts(texts: Iterable[str], steps: Cleaning) -> list[str]:
    """The cleaned texts, in the order given."""
    return [text if _PLAIN.fullmatch(text) else _clean(text, steps, set()) for text in texts]


def changing_steps(text: str, steps: Cleaning) -> set[str]:
    """The names of the steps that change this text."""
    touched: set[str] = set()
    _clean(text, steps, touched)
    return touched


def _clean(text: str, steps: Cleaning, touched: set[str]) -> str:
    active = [(name, step) for name, step in STEPS.items() if getattr(steps, name) not in (False, "none")]
    for rounds in range(2 * ROUNDS):
        if _PLAIN.fullmatch(text):
            break
        before = text
        for name, step in active:
            after = step(text, steps)
            if after != text:
                touched.add(name)
                text = after
        if text == before:
            break
        if rounds == ROUNDS and steps.html:
            text = _disarm(text)
    return text


def _disarm(text: str) -> str:
    """Make ``&`` and ``<`` full-width, which no step turns back: so every text comes to rest, in bounded time."""
    return text.replace("&", "＆").replace("<", "＜")


def _html(text: str, _: Cleaning) -> str:
    return without_html(text)


def _controls(text: str, _: Cleaning) -> str:
    """Every kind of line end becomes a line feed, half a surrogate pair the replacement character, which stays."""
    return _SURROGATES.sub("\ufffd", _LINE_ENDS.sub("\n", _UNSEEN.sub("", text)))


def _width(text: str, _: Cleaning) -> str:
    return _WIDE_FORMS.sub(lambda wide: _HALF_WIDTH[ord(wide[0])], text)


def _unicode(text: str, steps: Cleaning) -> str:
    if steps.unicode == "nfc":
        return unicodedata.normalize("NFC", text)
    pieces = _KEPT.split(text)
    pieces[::2] = [unicodedata.normalize("NFKC", piece) for piece in pieces[::2]]
    return "".join(pieces)


def _whitespace(text: str, _: Cleaning) -> str:
    return _SPACES.sub(" ", text).strip(" ")


STEPS: dict[str, Callable[[str, Cleaning], str]] = {
    "html": _html,
    "controls": _controls,
    "width": _width,
    "unicode": _unicode,
    "whitespace": _whitespace,
}
