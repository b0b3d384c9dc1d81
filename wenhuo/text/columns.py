"""Cleaning whole columns: a pattern finds the few texts that need work, and only these become Python objects."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from wenhuo.text.characters import PLAIN
from wenhuo.text.cleaning import Cleaning, cleaned, plan

_PLAIN = rf"\A(?:[{PLAIN}]+(?: [{PLAIN}]+)*)?\z"


def clean_column(texts: pl.Series, steps: Cleaning) -> tuple[pl.Series, Counter[str]]:
    """Clean a column of texts, exactly as ``clean_texts`` does.

    Args:
        texts: strings without nulls.
        steps: what to do.

    Returns:
        The cleaned column, and how many texts each step changed.
    """
    doubtful = ~texts.str.contains(_PLAIN)
    for name, mark in plan(steps).marks.items():
        doubtful |= _held(texts, mark) if name == "repeats" else texts.str.contains(mark.pattern)
    counts: Counter[str] = Counter()
    places, results = [], []
    for place, text in zip(doubtful.arg_true(), texts.filter(doubtful), strict=True):
        result, touched = cleaned(text, steps)
        if result != text:
            counts.update(touched)
            places.append(place)
            results.append(result)
    return (texts.clone().scatter(places, results) if places else texts), counts


def _held(texts: pl.Series, mark: re.Pattern[str]) -> pl.Series:
    """Which texts hold the mark, for a pattern that refers back to what it matched; polars knows none of these."""
    return pl.Series([mark.search(text) is not None for text in texts], dtype=pl.Boolean)
