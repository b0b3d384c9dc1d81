"""Chinese text into words, by jieba's dictionary.

Without jieba's hidden Markov model: it guesses words that no dictionary holds, and glues negations to verbs
(``不来`` instead of ``不`` and ``来``), which a classifier of opinions must be able to tell apart.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import rjieba


def segment(text: str) -> list[str]:
    """The text's words, marks and spaces in order; joined they are the text again."""
    return list(_dictionary().cut(text, hmm=False))


def words(text: str) -> list[str]:
    """The text's words, without stop words, punctuation, symbols and spaces. Negations are no stop words."""
    dropped = stop_words()
    return [word for word in segment(text) if word.lower() not in dropped and any(char.isalnum() for char in word)]


@cache
def stop_words() -> frozenset[str]:
    """The packaged list, ``stopwords.txt``: words that say nothing about what a text is about or thinks of it."""
    lines = files("wenhuo.text").joinpath("stopwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _dictionary() -> rjieba.Jieba:
    """A dictionary of our own, so that words added to jieba's common one elsewhere change nothing here."""
    return rjieba.Jieba()
