"""Which words sound alike, and how common each of them is in some texts.

Readings are those of pypinyin (https://github.com/mozillazg/python-pinyin), which knows words: 行 is read xíng in 行人
and háng in 银行. Tones are left out, as most people leave them out when they type.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from wenhuo.text.keys import CHINESE
from wenhuo.text.script import simplified
from wenhuo.text.segmentation import segment

FEWEST = 2  # times that a word or character must stand in the texts: what stands there once may be an error itself
CACHED = 200_000

Reading = tuple[str, ...]
_RUNS = re.compile(f"[{CHINESE}]+")


@dataclass(frozen=True)
class Lexicon:
    """Words and single characters by their reading, each with how often it stands in the texts, commonest first."""

    by_reading: Mapping[Reading, list[tuple[str, int]]]

    def another(self, word: str, sounds: Reading, draw: Random) -> str | None:
        """Another word of the same reading and length, the commoner the likelier; None where there is none.

        The same word in the other script is not another one: 來 is no wrong 来.
        """
        others = [one for one in self.by_reading.get(sounds, ()) if _plain(one[0]) != _plain(word)]
        reach = draw.random() * sum(count for _, count in others)
        for other, count in others:
            reach -= count
            if reach < 0:
                return other
        return None


def build(texts: Iterable[str]) -> Lexicon:
    """The words and characters of some texts by their readings. The order of the texts changes nothing."""
    counts: Counter[str] = Counter()
    for text in texts:
        for run in _RUNS.findall(text):
            counts.update(word for word in segment(run) if len(word) > 1)
            counts.update(run)
    found = defaultdict(list)
    for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count >= FEWEST:
            found[reading(word)].append((word, count))
    return Lexicon(dict(found))


@lru_cache(CACHED)
def reading(word: str) -> Reading:
    """A Chinese word's syllables without tones, one a character (lv for 绿); what has none stands for itself."""
    from pypinyin import Style, lazy_pinyin

    found = tuple(lazy_pinyin(word, style=Style.NORMAL))
    return found if len(found) == len(word) else tuple(word)


_plain = lru_cache(CACHED)(simplified)
