"""Text that was read in the wrong encoding, turned back where the way back is exact.

Three confusions: UTF-8 read as a single-byte encoding (``å¥½``), by ftfy; UTF-8 read as GBK (``浣犲ソ`` for 你好);
GBK read as Latin-1 (``ÄãºÃ`` for 你好). Bytes that were lost on the way (``锟斤拷``, ``�``) cannot be brought back.

Sound Chinese is left alone. UTF-8 read as GBK has a rhythm of three, and one beat of it is one of few hundred rare
characters: among 975,000 sound texts 17 hold the rhythm once (棣颁奖), none holds it twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

# What single-byte encodings show in place of the first byte of a UTF-8 sequence: Latin, Greek and Cyrillic letters,
# and a few signs of the Macintosh and DOS sets. ftfy is asked about texts that hold one of these.
_FIRST_AS_LATIN = "\x80-\x9f¬À-\u024f\u0370-\u052f‰√≈├-╬"

# First two bytes of UTF-8 sequences of three: general punctuation (E2 80), Chinese punctuation and kana (E3 80-83),
# Chinese characters (E4-E9), full-width forms (EF BC, EF BD). Two sequences are three GBK characters.
_TRAILS = range(0x80, 0xC0)
_OPENINGS = [(0xE2, 0x80), (0xEF, 0xBC), (0xEF, 0xBD)]
_OPENINGS += [(0xE3, trail) for trail in range(0x80, 0x84)]
_OPENINGS += [(lead, trail) for lead in range(0xE4, 0xEA) for trail in _TRAILS]
_LEADS = sorted({lead for lead, _ in _OPENINGS})

_ENOUGH = 4
"""Characters that make valid UTF-8 no accident; fewer must all be common ones."""

_AS_LATIN = re.compile("[\x80-\x9f¡-þ]{4,}")
_LETTER = re.compile("[À-ÖØ-öø-þ]")


def repaired(text: str) -> str:
    """The text with its mojibake turned back, or the text as it is."""
    if not _mark().search(text):
        return text
    import ftfy

    text = _AS_LATIN.sub(lambda run: _from_latin(run[0]), text)  # first, for ftfy takes Â´ out of ÏÂ´Î (下次)
    return _from_gbk(ftfy.fix_encoding(text))


def mark() -> str:
    """A pattern that every text holds which ``repaired`` changes; few sound texts hold it."""
    first, second, _ = _rhythm()
    return f"[{_FIRST_AS_LATIN}]|[{first}][{second}]"


@cache
def _mark() -> re.Pattern[str]:
    return re.compile(mark())


@cache
def _rhythm() -> tuple[str, str, str]:
    """The GBK characters that two UTF-8 sequences are read as: the first, second and third of each three."""
    return (
        _read_as_gbk(_OPENINGS),
        _read_as_gbk((trail, lead) for trail in _TRAILS for lead in _LEADS),
        _read_as_gbk((one, two) for one in _TRAILS for two in _TRAILS),
    )


def _read_as_gbk(pairs: Iterable[tuple[int, int]]) -> str:
    found = {bytes(pair).decode("gbk", "ignore") for pair in pairs}
    return "".join(sorted(char for char in found if len(char) == 1 and ord(char) > 0x7F))


@cache
def _as_gbk() -> re.Pattern[str]:
    first, second, third = _rhythm()
    return re.compile(f"(?:[{first}][{second}][{third}])+")


def _from_gbk(text: str) -> str:
    """Turn UTF-8 read as GBK back: the whole text where that works, else the runs that are exact by themselves."""
    if not _as_gbk().search(text):
        return text
    return _decoded(text) or _as_gbk().sub(lambda run: _decoded(run[0]) or run[0], text)


def _decoded(text: str) -> str | None:
    """What valid UTF-8 stood behind the text, if there was any and it is believable."""
    try:
        found = text.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return None
    wide = [char for char in found if ord(char) > 0x7F]
    return found if len(wide) >= _ENOUGH or all(map(_common, wide)) else None


def _from_latin(run: str) -> str:
    """Turn a run of GBK read as Latin-1 back, if it is characters of GB2312 through and through, mostly common ones."""
    if len(set(run)) < 3 or not _LETTER.search(run):  # ···· and ×××× are sound
        return run
    try:
        found = run.encode("latin-1").decode("gb2312")
    except UnicodeError:
        return run
    return found if sum(map(_common, found)) >= 0.75 * len(found) else run


def _common(char: str) -> bool:
    """Whether GB2312 has the character among its 3,755 common ones or its punctuation."""
    try:
        encoded = char.encode("gb2312")
    except UnicodeError:
        return False
    return 0xB0 <= encoded[0] <= 0xD7 or encoded[0] in (0xA1, 0xA3)
