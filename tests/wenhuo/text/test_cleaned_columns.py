from collections import Counter

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wenhuo.text.test_cleaning import choices, texts
from wenhuo.text.cleaning import Cleaning, changing_steps, clean_texts
from wenhuo.text.columns import clean_column


@given(st.lists(texts.map(lambda text: text.encode("utf-8", "ignore").decode()), max_size=6), choices)
@settings(max_examples=300, deadline=None)
def test_a_column_is_cleaned_like_its_texts(several: list[str], steps: Cleaning) -> None:
    cleaned, counts = clean_column(pl.Series(several, dtype=pl.String), steps)
    assert cleaned.to_list() == clean_texts(several, steps)
    assert counts == Counter(step for text in several for step in changing_steps(text, steps))


def test_an_empty_column_stays_one() -> None:
    cleaned, counts = clean_column(pl.Series([], dtype=pl.String), Cleaning())
    assert cleaned.dtype == pl.String
    assert not counts
