"""Texts with near-copies planted among them, and how well what was found agrees with what was planted.

The made texts look like reviews: words of one to three of the commonest characters, drawn by Zipf's law, a mark after
every 6 to 14 characters, lengths as ChnSentiCorp's are (median 76 characters, one in ten below 36 or above 189).
Nothing is read. Each copy is of another text and has one to four characters edited (each inserted, deleted, replaced
or swapped with its neighbour; marks are not counted as characters), or other punctuation, or traditional script; a
third of the edited ones have other punctuation too, and a third traditional script. As many look-alikes are planted:
two thirds of one text and the end of another. They are no copies, and finding one is a mistake.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise

from benchmarks.made_corpus import WORDS, common_characters

QUANTILES = (
    (0, 8),
    (0.01, 22),
    (0.05, 32),
    (0.1, 36),
    (0.2, 43),
    (0.5, 76),
    (0.7, 128),
    (0.9, 189),
    (0.99, 540),
    (1, 1992),
)
"""Characters of the reviews of ChnSentiCorp's train file; between two quantiles the logarithm is drawn evenly."""

MARKS = "，。！？、；…"
EDITS = (1, 2, 3, 4)
KINDS = ("inserted", "deleted", "replaced", "swapped")
LENGTHS = ((0, 20), (20, 30), (30, 40), (40, 80), (80, 10**9))


@dataclass(frozen=True)
class Copy:
    """One planted near-copy: row ``of`` comes again as row ``row``."""

    of: int
    row: int
    edits: int
    kinds: tuple[str, ...]
    length: int
    """Characters of the original without marks and white space."""


def made_texts(count: int, seed: int = 13) -> list[str]:
    """Texts that are near each other by chance at most."""
    draw = random.Random(seed)
    characters = common_characters()
    words = ["".join(draw.choices(characters, k=draw.choice((1, 2, 2, 2, 3)))) for _ in range(WORDS)]
    weights = list(accumulate(1 / (rank + 10) for rank in range(WORDS)))
    return [_made(draw, words, weights) for _ in range(count)]


def _made(draw: random.Random, words: Sequence[str], weights: Sequence[float]) -> str:
    wanted = _length(draw.random())
    text, since = "", 0
    while len(text) < wanted:
        word = draw.choices(words, cum_weights=weights)[0]
        text, since = text + word, since + len(word)
        if since > draw.randint(6, 14):
            text, since = text + draw.choice("，，，，。！"), 0
    return text[:wanted] + "。"


def _length(share: float) -> int:
    """How long a text is of which this share is shorter."""
    (low, short), (high, long) = next(pair for pair in pairwise(QUANTILES) if share <= pair[1][0])
    return round(short * (long / short) ** ((share - low) / (high - low)))


def plant(texts: Sequence[str], count: int, seed: int = 13) -> tuple[list[str], list[Copy]]:
    """The texts, ``count`` near-copies and ``count`` look-alikes of some of them, shuffled; and what was planted."""
    draw = random.Random(seed)
    originals = draw.sample(range(len(texts)), count)
    copied = [_copied(texts[of], number, draw) for number, of in enumerate(originals)]
    alike = [_look_alike(*draw.sample(texts, 2)) for _ in range(count)]
    order = draw.sample(range(len(texts) + 2 * count), len(texts) + 2 * count)  # where each row goes
    rows = [""] * len(order)
    for place, text in zip(order, [*texts, *(text for text, _, _ in copied), *alike], strict=True):
        rows[place] = text
    copies = [
        Copy(order[of], order[len(texts) + number], edits, kinds, len(_letters(texts[of])))
        for number, (of, (_, edits, kinds)) in enumerate(zip(originals, copied, strict=True))
    ]
    return rows, copies


def _look_alike(text: str, other: str) -> str:
    """Two thirds of the one and as much of the other's end as is missing."""
    kept = len(text) * 2 // 3
    return text[:kept] + other[kept - len(text) :]


def _copied(text: str, number: int, draw: random.Random) -> tuple[str, int, tuple[str, ...]]:
    """The copy, its edits and what was done to it: of ten eight are edited, one has other marks, one other script."""
    edits = EDITS[number % 4] if number % 10 < 8 else 0
    kinds = [draw.choice(KINDS) for _ in range(edits)]
    for kind in kinds:
        text = _edited(text, kind, draw)
    if number % 10 == 8 or (edits and draw.random() < 1 / 3):
        text, kinds = _marked(text, draw), [*kinds, "punctuation"]
    if number % 10 == 9 or (edits and draw.random() < 1 / 3):
        text, kinds = _traditional(text), [*kinds, "traditional"]
    return text, edits, tuple(kinds)


def _edited(text: str, kind: str, draw: random.Random) -> str:
    places = [place for place, char in enumerate(text) if char.isalnum()]
    at = draw.choice(places[:-1] or places)
    if kind == "swapped" and len(places) > 1:
        other = places[places.index(at) + 1]
        return text[:at] + text[other] + text[at + 1 : other] + text[at] + text[other + 1 :]
    new = "" if kind == "deleted" and len(places) > 1 else draw.choice(common_characters())
    return text[:at] + new + text[at if kind == "inserted" else at + 1 :]


def _marked(text: str, draw: random.Random) -> str:
    """Every mark becomes another one or a space, and more marks end the text."""
    changed = "".join(char if char.isalnum() else draw.choice(MARKS + " ") for char in text)
    return changed + draw.choice(MARKS) * draw.randint(1, 3)


def _traditional(text: str) -> str:
    from opencc import OpenCC

    return str(OpenCC("s2t").convert(text))


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


Pairs = set[tuple[int, int]]


def pairs_of(clusters: Iterable[int]) -> Pairs:
    """Every pair of rows in one cluster, the earlier first; -1 is none."""
    members: dict[int, list[int]] = {}
    for row, cluster in enumerate(clusters):
        if cluster >= 0:
            members.setdefault(int(cluster), []).append(row)
    return {pair for rows in members.values() for pair in combinations(rows, 2)}


def agreement(found: Pairs, copies: Sequence[Copy]) -> dict[str, float]:
    """Recall: planted pairs that were found. Precision: found pairs that were planted; every other counts as wrong."""
    right = found & {_pair(copy) for copy in copies}
    return {
        "recall": len(right) / max(len(copies), 1),
        "precision": len(right) / len(found) if found else 1.0,
        "found": len(found),
        "wrong": len(found) - len(right),
    }


def recalls(found: Pairs, copies: Sequence[Copy]) -> dict[str, dict[str, tuple[int, float]]]:
    """Planted copies and the recall among them, by number of edits, by what was done, by length, and by both."""
    groups: dict[str, dict[str, list[bool]]] = {"edits": {}, "kind": {}, "length": {}, "length and edits": {}}
    for copy in copies:
        hit = _pair(copy) in found
        length = next(f"{low}-{high - 1}" for low, high in LENGTHS if low <= copy.length < high)
        length = length if copy.length < LENGTHS[-1][0] else f"{LENGTHS[-1][0]} and more"
        groups["edits"].setdefault(str(copy.edits), []).append(hit)
        groups["length"].setdefault(length, []).append(hit)
        groups["length and edits"].setdefault(f"{length}: {copy.edits}", []).append(hit)
        for kind in set(copy.kinds):
            groups["kind"].setdefault(kind, []).append(hit)
    return {
        name: {key: (len(hits), sum(hits) / len(hits)) for key, hits in sorted(group.items())}
        for name, group in groups.items()
    }


def _pair(copy: Copy) -> tuple[int, int]:
    return min(copy.of, copy.row), max(copy.of, copy.row)
