"""Which texts negate, turn round in mid-sentence, or mix scripts: properties that often explain an error."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from wenhuo.text.keys import CHINESE
from wenhuo.text.masks import TOKEN
from wenhuo.text.script import simplified
from wenhuo.text.segmentation import segment

NEGATING = frozenset("别 勿 莫 甭 休 无 未 非 毫无 并非 绝非 从未 尚未 无法 not no never cannot".split())  # noqa: SIM905
NEGATING_STARTS = ("不", "没")  # 不好, 没有, 不是
NOT_NEGATING = frozenset("不过 不仅 不但 不光 不只 不管 不论 不断 不久 不少 不同 不愧 不禁 不妨 不错 没准".split())  # noqa: SIM905
TURNING = frozenset(
    "但 但是 不过 然而 可是 却 只是 反而 虽 虽然 尽管 只不过 可惜 but however although though yet".split()  # noqa: SIM905
)

_CHINESE = re.compile(f"[{CHINESE}]+")
_LATIN = re.compile(r"[A-Za-z]+(?:['’]t)?")
_TOKEN = re.compile(TOKEN)


@dataclass(frozen=True)
class Phrasing:
    """What holds of one text."""

    negates: bool
    turns: bool
    mixes: bool


def phrasing(text: str) -> Phrasing:
    """Look at a text's words, as the dictionary cuts them: 特别 holds no 别, and 不过 turns without negating.

    Traditional script counts as simplified does.
    """
    text = _TOKEN.sub(" ", text)
    words = {word.lower() for word in _LATIN.findall(text)}
    words |= {word for run in _CHINESE.findall(simplified(text)) for word in segment(run)}
    return Phrasing(any(map(_negates, words)), not words.isdisjoint(TURNING), mixes_scripts(text))


def _negates(word: str) -> bool:
    if word in NOT_NEGATING:
        return False
    return word in NEGATING or word.startswith(NEGATING_STARTS) or word.endswith(("n't", "n’t"))


def mixes_scripts(text: str) -> bool:
    """Whether letters of another script stand beside Chinese characters: 这个app, 超かわいい."""
    if not _CHINESE.search(text):
        return False
    return any(unicodedata.category(char)[0] == "L" and not _CHINESE.match(char) for char in text)
