"""Cleaning a text: the same steps, in the same order, before training, evaluation and serving.

The order is that of ``STEPS``. Markup goes first, for it may hide everything else. Mojibake is turned back before the
characters are touched that it consists of. Addresses and numbers are masked once their characters are settled, before
runs are cut and marks are stripped in them; runs of emoji are cut before these have names. White space comes last, for
every other step may leave some.

A step may uncover work for an earlier one (``&amp;lt;br&amp;gt;`` decodes to ``&lt;br&gt;`` and then to a tag), so the
steps are repeated until nothing changes; a cleaned text cleaned again is therefore the same text. Only characters that
a step is about are touched: Chinese characters stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import Field

from wenhuo.settings import Section
from wenhuo.text import characters, marks, masks, mojibake, script
from wenhuo.text.html import without_html

ROUNDS = 10
"""Rounds of all steps. Markup wrapped deeper than this was written to cause trouble, see ``_disarm``."""

Mask = Literal["keep", "mask"]


class Cleaning(Section):
    """The steps of cleaning, each a switch.

    A model carries these with it. A switch that its record lacks, since it was made before there was one, must change
    nothing: whatever is added here is off by default.
    """

    unicode: Literal["nfkc", "nfc", "none"] = Field(
        "nfkc",
        description="The Unicode form. nfkc folds compatibility characters (①, ㎡, ﬁ, half-width katakana) and leaves "
        "Chinese punctuation and whatever `width` is about alone; nfc only composes; none changes nothing.",
    )
    width: bool = Field(True, description="Whether full-width letters, digits and spaces become half-width.")
    html: bool = Field(True, description="Whether tags are removed and entities become characters.")
    controls: bool = Field(True, description="Whether control, zero-width and bidirectional marks are removed.")
    whitespace: bool = Field(True, description="Whether a run of white space becomes one space, with none at the ends.")
    mojibake: bool = Field(
        False, description="Whether text read in the wrong encoding is turned back where the way back is exact."
    )
    script: Literal["keep", "simplified"] = Field(
        "keep", description="Whether traditional characters become simplified ones."
    )
    urls: Mask = Field("keep", description="Whether web addresses become <url>.")
    emails: Mask = Field("keep", description="Whether e-mail addresses become <email>.")
    mentions: Mask = Field("keep", description="Whether @names become <user>.")
    phones: Mask = Field("keep", description="Whether phone numbers of mainland China become <phone>.")
    emoji: Literal["keep", "name"] = Field(
        "keep", description="Whether emoji become their Chinese names in brackets: [笑哭了]."
    )
    repeats: int | None = Field(
        None,
        ge=2,
        description="Longest run of one character, 2 or more; longer ones are cut, but not digits; null cuts none.",
    )
    punctuation: Literal["keep", "strip"] = Field(
        "keep", description="Whether punctuation and symbols are removed, as many tutorials do."
    )


@dataclass(frozen=True)
class Plan:
    """What a choice of steps comes to.

    Attributes:
        active: names and functions of the steps that are on, in order.
        plain: a pattern; a text that matches it as a whole is changed by no step that is always there.
        marks: for each of the other steps that are on, a pattern that finds what it may change.
    """

    active: tuple[tuple[str, Callable[[str, Cleaning], str]], ...]
    plain: re.Pattern[str]
    marks: dict[str, re.Pattern[str]]

    def leaves(self, text: str) -> bool:
        """Whether this text is clean already. Most are, so this decides the speed."""
        return self.plain.fullmatch(text) is not None and not any(mark.search(text) for mark in self.marks.values())


@cache
def plan(steps: Cleaning) -> Plan:
    """The plan for a choice of steps."""
    active = tuple((name, step) for name, step in STEPS.items() if getattr(steps, name) not in OFF)
    return Plan(active, _PLAIN, {name: re.compile(_MARKS[name](steps)) for name, _ in active if name in _MARKS})


def clean_text(text: str, steps: Cleaning) -> str:
    """The cleaned text; cleaning it again changes nothing."""
    return clean_texts((text,), steps)[0]


def clean_texts(texts: Iterable[str], steps: Cleaning) -> list[str]:
    """The cleaned texts, in the order given."""
    chosen = plan(steps)
    return [text if chosen.leaves(text) else cleaned(text, steps)[0] for text in texts]


def changing_steps(text: str, steps: Cleaning) -> set[str]:
    """The names of the steps that change this text."""
    return cleaned(text, steps)[1]


def cleaned(text: str, steps: Cleaning) -> tuple[str, set[str]]:
    """The cleaned text, and the names of the steps that changed it."""
    chosen = plan(steps)
    touched: set[str] = set()
    for rounds in range(2 * ROUNDS):
        before = text
        for name, step in chosen.active if not chosen.leaves(text) else ():
            after = step(text, steps)
            if after != text:
                touched.add(name)
                text = after
        if text == before:
            break
        if rounds == ROUNDS and steps.html:
            text = _disarm(text)
    return text, touched


def _disarm(text: str) -> str:
    """Make ``&`` and ``<`` full-width, which no step turns back: so every text comes to rest, in bounded time."""
    return _ARMED.sub(lambda mark: chr(ord(mark[0]) + 0xFEE0), text)


OFF = (False, None, "none", "keep")
"""The values of switches that are off."""

STEPS: dict[str, Callable[[str, Cleaning], str]] = {
    "html": lambda text, _: without_html(text),
    "mojibake": lambda text, _: mojibake.repaired(text),
    "controls": lambda text, _: characters.without_controls(text),
    "width": lambda text, _: characters.half_width(text),
    "unicode": lambda text, steps: (characters.composed if steps.unicode == "nfc" else characters.folded)(text),
    "script": lambda text, _: script.simplified(text),
    "urls": lambda text, _: masks.mask_urls(text),
    "emails": lambda text, _: masks.mask_emails(text),
    "mentions": lambda text, _: masks.mask_mentions(text),
    "phones": lambda text, _: masks.mask_phones(text),
    "repeats": lambda text, steps: marks.shortened_runs(text, steps.repeats or 0),
    "emoji": lambda text, _: marks.named_emoji(text),
    "punctuation": lambda text, _: marks.without_punctuation(text),
    "whitespace": lambda text, _: characters.single_spaced(text),
}
"""The steps in their order."""

_PLAIN = re.compile(f"(?:[{characters.PLAIN}]++(?: [{characters.PLAIN}]++)*+)?")
_ARMED = re.compile(f"&|(?!{masks.TOKEN})<")

_MARKS: dict[str, Callable[[Cleaning], str]] = {
    "mojibake": lambda _: mojibake.mark(),
    "script": lambda _: script.mark(),
    "urls": lambda _: masks.MARKS["urls"],
    "emails": lambda _: masks.MARKS["emails"],
    "mentions": lambda _: masks.MARKS["mentions"],
    "phones": lambda _: masks.MARKS["phones"],
    "emoji": lambda _: marks.EMOJI,
    "repeats": lambda steps: marks.longer_runs(steps.repeats or 0).pattern,
    "punctuation": lambda _: marks.MARK,
}
