"""Steps on single characters: Unicode forms, widths, unseen marks, white space; and which characters need no step."""

from __future__ import annotations

import re
import unicodedata

# A text of nothing but these characters with single spaces inside is clean already, whatever these steps are: no `&` or
# `<`, nothing that a Unicode form changes or composes with its neighbour. Most texts are like that (97 of 100 in
# ChnSentiCorp), so this one match decides the speed. Printable ASCII, Latin-1 letters, dashes and quotation marks, CJK
# punctuation, kana, ideographs, full-width punctuation.
PLAIN = "!-%'-;=-~·×÷À-ÖØ-öø-ÿ—‘’“”…、-〟ぁ-ゖァ-ヾ㐀-䶿一-鿿！（），：；？～"
"""The inside of a character class: characters that none of html, controls, width, unicode and whitespace changes."""

# Marks that NFKC would turn into ASCII and that Chinese writes this way: vertical and small forms, the dots, and the
# full-width marks without business in numbers, addresses and formulas: ％ ＠ ＃ ． ／ ＋ become ASCII, ， ！ （ do not.
# ＆ ＜ ＞ are among them because cleaning may need marks that no step turns back.
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


def without_controls(text: str) -> str:
    """Unseen marks go, every kind of line end becomes a line feed, half a surrogate pair the replacement character."""
    return _SURROGATES.sub("\ufffd", _LINE_ENDS.sub("\n", _UNSEEN.sub("", text)))


def half_width(text: str) -> str:
    """Full-width letters, digits and spaces become half-width; punctuation stays."""
    return _WIDE_FORMS.sub(lambda wide: _HALF_WIDTH[ord(wide[0])], text)


def composed(text: str) -> str:
    """Unicode's NFC."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Unicode's NFKC, except for punctuation as Chinese writes it and for what ``half_width`` is about."""
    pieces = _KEPT.split(text)
    pieces[::2] = [unicodedata.normalize("NFKC", piece) for piece in pieces[::2]]
    return "".join(pieces)


def single_spaced(text: str) -> str:
    """Every run of white space becomes one space, with none at the ends."""
    return _SPACES.sub(" ", text).strip(" ")
