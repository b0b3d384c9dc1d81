"""Wrong homophones: what a person picks who types by sound and takes the wrong one of the words offered.

Where the corpus knows another word of the same reading, the whole word is replaced (权利, 权力), else one of its
characters, by one that is read as it is read there.
"""

from __future__ import annotations

import re
from random import Random

from wenhuo.perturbing.budget import Budget
from wenhuo.perturbing.lexicon import Lexicon, reading
from wenhuo.text.keys import CHINESE
from wenhuo.text.segmentation import segment

_RUNS = re.compile(f"([{CHINESE}]+)")


def homophones(text: str, draw: Random, rate: float, lexicon: Lexicon) -> str:
    """The text with some of its words or characters replaced by others that sound the same, tone aside.

    Args:
        text: any.
        draw: the row's generator.
        rate: share of the Chinese characters that become others, as far as there are others of their sound.
        lexicon: what may stand in their place.
    """
    words = [word for n, piece in enumerate(_RUNS.split(text)) for word in (segment(piece) if n % 2 else [piece])]
    places = [(n, at) for n, word in enumerate(words) if _RUNS.fullmatch(word) for at in range(len(word))]
    draw.shuffle(order := list(places))
    budget, replaced = Budget(rate * len(places), draw), set[int]()
    for n, at in order:
        if budget.left <= 0:
            break
        other = None if n in replaced else _sounding_like(words[n], at, lexicon, draw)
        if other is not None:
            replaced.add(n)
            if budget.allows(sum(a != b for a, b in zip(words[n], other, strict=True))):
                words[n] = other
    return "".join(words)


def _sounding_like(word: str, at: int, lexicon: Lexicon, draw: Random) -> str | None:
    """Another word, or the word with another character at one place."""
    sounds = reading(word)
    if len(word) > 1 and (whole := lexicon.another(word, sounds, draw)) is not None:
        return whole
    char = lexicon.another(word[at], sounds[at : at + 1], draw)
    return None if char is None else word[:at] + char + word[at + 1 :]
