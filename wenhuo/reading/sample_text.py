"""The sample's texts: reviews written by the grammar in ``sample_grammar.yaml``.

A review is one of the templates of its label. Its slots are filled with words of the domain and with clauses about
aspects (room, plot, keyboard …) that say something good, bad or fair in many shapes: plainly, by negation (一点也不脏),
by comparison, question or irony. Which clause decides often hangs on its place (虽然…但是…), so that counting words is
not enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from wenhuo.settings import read_yaml

LABELS = ("negative", "neutral", "positive")
DOMAINS = ("hotel", "book", "laptop")

GRAMMAR = Path(__file__).with_name("sample_grammar.yaml")
LONGEST = 200  # characters; the templates could go on
TYPOS = 0.05  # share of the reviews with a slip
PLAIN_COMMAS = 0.08  # share written with half-width commas
SPACES = 0.06  # share written with spaces instead of punctuation
FULL_STOPS = 0.45  # share that end with 。
TAILS = 0.15  # share that end with an emoji, 哈哈, ！！！
TAIL_FITS = 0.7  # share of these tails that fit the label; the others are drawn from any

_SLOT = re.compile(r"\{([^{}]+)\}")
_WEIGHT = re.compile(r"^(.*?)  \*(\d+)$")


@dataclass
class Draft:
    """A review being written: whose words it uses and which aspects it has not mentioned yet."""

    rng: Random
    domain: str
    aspects: list[Mapping[str, Any]] = field(default_factory=list)


@cache
def grammar() -> Mapping[str, Any]:
    """The grammar with its weights unfolded: an item that is five times as likely stands five times in its list."""
    unfolded: Mapping[str, Any] = _unfold(read_yaml(GRAMMAR))
    return unfolded


def write_review(rng: Random, domain: str, label: str) -> str:
    """One review of at most 200 characters.

    Args:
        rng: where all choices come from.
        domain: one of ``DOMAINS``.
        label: one of ``LABELS``, what the review means to say.
    """
    while True:
        text = _expand(Draft(rng, domain), rng.choice(grammar()["reviews"][label]), {})
        text = _finish(rng, text, label)
        if len(text) <= LONGEST:
            return text


def typical_slips() -> Mapping[str, str]:
    """Word to what is typed instead of it (homophones and look-alikes)."""
    slips: Mapping[str, str] = grammar()["typos"]
    return slips


def _unfold(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unfold(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy for item in value for copy in _copies(item)]
    return value


def _copies(item: Any) -> list[Any]:
    if isinstance(item, str):
        match = _WEIGHT.match(item)
        return [match[1]] * int(match[2]) if match else [item]
    return [_unfold(item)]


def _expand(draft: Draft, template: str, aspect: Mapping[str, Any]) -> str:
    return _SLOT.sub(lambda match: _fill(draft, match[1], aspect), template)


def _fill(draft: Draft, slot: str, aspect: Mapping[str, Any]) -> str:
    """The text for one slot; a clause slot moves on to the next aspect, unless it only refines another clause slot."""
    if slot.endswith("?"):
        return _fill(draft, slot[:-1], aspect) if draft.rng.random() < 0.5 else ""
    if ".." in slot:
        low, high = slot.split("..")
        return str(draft.rng.randint(int(low), int(high)))
    if slot in grammar()["clauses"]:
        return _expand(draft, draft.rng.choice(grammar()["clauses"][slot]), aspect or _next_aspect(draft))
    if slot == "aspect":
        return _expand(draft, draft.rng.choice(aspect["names"]), aspect)
    words = aspect.get(slot) or grammar()["domains"][draft.domain]["words"].get(slot) or grammar()["words"][slot]
    return _expand(draft, draft.rng.choice(words), aspect)


def _next_aspect(draft: Draft) -> Mapping[str, Any]:
    """An aspect not mentioned yet, so that a review does not contradict itself; all anew when they are used up."""
    if not draft.aspects:
        draft.aspects = list(grammar()["domains"][draft.domain]["aspects"])
        draft.rng.shuffle(draft.aspects)
    return draft.aspects.pop()


def _finish(rng: Random, text: str, label: str) -> str:
    """The text as somebody would type it: a slip, other punctuation, an emoji at the end."""
    if rng.random() < TYPOS:
        text = _slip(rng, text)
    draw = rng.random()
    if draw < PLAIN_COMMAS:
        text = text.replace("，", ",")
    elif draw < PLAIN_COMMAS + SPACES:
        text = re.sub("[，。]+", " ", text).strip()
    draw = rng.random()
    if draw < FULL_STOPS and not text.endswith(("？", "！")):
        return text + "。"
    return text + _tail(rng, label) if draw > 1 - TAILS else text


def _slip(rng: Random, text: str) -> str:
    found = [word for word in typical_slips() if word in text]
    if not found:
        return text
    word = rng.choice(found)
    return text.replace(word, typical_slips()[word], 1)


def _tail(rng: Random, label: str) -> str:
    tails = {"negative": "tails_bad", "neutral": "tails_fair", "positive": "tails_good"}
    chosen = label if rng.random() < TAIL_FITS else rng.choice(LABELS)
    return str(rng.choice(grammar()["words"][tails[chosen]]))
