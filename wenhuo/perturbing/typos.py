"""Typing errors: a Chinese character doubled, dropped or swapped with the next one; a Latin letter's neighbouring key.

Wrong characters of the right reading, which is what Chinese input brings most of all, are in
:mod:`wenhuo.perturbing.homophones`. Digits, marks, emoji and the tokens of masks stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from random import Random

from wenhuo.perturbing.budget import Budget
from wenhuo.text.keys import CHINESE, is_chinese
from wenhuo.text.masks import TOKEN

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_TYPED = re.compile(f"{TOKEN}|[{CHINESE}A-Za-z]")


def typos(text: str, draw: Random, rate: float) -> str:
    """The text with typing errors.

    Args:
        text: any.
        draw: the row's generator.
        rate: share of the Chinese characters and Latin letters that an error touches; a swap touches two.

    Returns:
        A text in which at least one of these characters is left; one without any is returned as it is.
    """
    places = [found.start() for found in _TYPED.finditer(text) if len(found[0]) == 1]
    pieces, touched = list(text), set[int]()
    budget, order = Budget(rate * len(places), draw), list(places)
    draw.shuffle(order)
    for place in order:
        if budget.left <= 0:
            break
        if place not in touched:
            touched |= _mistype(pieces, place, touched, budget, last=len(touched) + 1 >= len(places))
    return "".join(pieces)


def _mistype(pieces: list[str], place: int, touched: set[int], budget: Budget, *, last: bool) -> set[int]:
    """Make one error in ``pieces``; return the places that it touches."""
    if not is_chinese(pieces[place]):
        error: Callable[[list[str], int, Random], None] = _neighbour
    else:
        errors = [_double] if last else [_double, _drop]
        errors += [_swap] if _swappable(pieces, place, touched) else []
        error = errors[int(budget.draw.random() * len(errors))]
    over = {place, place + 1} if error is _swap else {place}
    if budget.allows(len(over)):
        error(pieces, place, budget.draw)
    return over


def _swappable(pieces: list[str], place: int, touched: set[int]) -> bool:
    following = pieces[place + 1] if place + 1 < len(pieces) and place + 1 not in touched else ""
    return len(following) == 1 and following != pieces[place] and is_chinese(following)


def _double(pieces: list[str], place: int, _: Random) -> None:
    pieces[place] *= 2


def _drop(pieces: list[str], place: int, _: Random) -> None:
    pieces[place] = ""


def _swap(pieces: list[str], place: int, _: Random) -> None:
    pieces[place], pieces[place + 1] = pieces[place + 1], pieces[place]


def _neighbour(pieces: list[str], place: int, draw: Random) -> None:
    letter = pieces[place]
    keys = _neighbours()[letter.lower()]
    key = keys[int(draw.random() * len(keys))]
    pieces[place] = key.upper() if letter.isupper() else key


@cache
def _neighbours() -> dict[str, str]:
    """Each letter's neighbours on a keyboard: beside it, and the two that it touches above and below."""
    found = {}
    for line, keys in enumerate(KEYS):
        above, below = (KEYS[n] if 0 <= n < len(KEYS) else "" for n in (line - 1, line + 1))
        for at, key in enumerate(keys):
            found[key] = (
                keys[max(0, at - 1) : at] + keys[at + 1 : at + 2] + above[at : at + 2] + below[max(0, at - 1) : at + 1]
            )
    return found
