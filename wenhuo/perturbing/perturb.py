"""Perturb texts: each by a generator of its own, so that neither the order of the rows nor their number matters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random

from wenhuo.perturbing.homophones import homophones
from wenhuo.perturbing.lexicon import Lexicon
from wenhuo.perturbing.marks import traditional, without_punctuation
from wenhuo.perturbing.options import Kind
from wenhuo.perturbing.typos import typos


def perturbed(
    kind: Kind, texts: Sequence[str], ids: Sequence[str], lexicon: Lexicon, *, rate: float, seed: int
) -> list[str]:
    """The texts after one kind of perturbation. What cannot be changed (no Chinese, no marks) stays as it is.

    Args:
        kind: which.
        texts: any.
        ids: of their rows; the same id, seed and text give the same result.
        lexicon: which words sound alike; only for homophones.
        rate: share of the characters that typos and homophones change.
        seed: another one changes other characters.
    """
    change = changer(kind, lexicon, rate)
    return [change(text, generator(seed, kind, row)) for text, row in zip(texts, ids, strict=True)]


def changer(kind: Kind, lexicon: Lexicon, rate: float) -> Callable[[str, Random], str]:
    """The function that perturbs one text with one generator."""
    return {
        "typos": lambda text, draw: typos(text, draw, rate),
        "homophones": lambda text, draw: homophones(text, draw, rate, lexicon),
        "traditional": lambda text, _: traditional(text),
        "no_punctuation": lambda text, _: without_punctuation(text),
    }[kind]


def generator(seed: int, kind: str, row: str) -> Random:
    """The random numbers of one row under one kind."""
    digest = sha256(f"{seed}/{kind}/{row}".encode("utf-8", "surrogatepass")).digest()
    return Random(int.from_bytes(digest[:8]))  # noqa: S311 - nothing secret
