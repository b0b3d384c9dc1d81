"""The two figures of a part agree with those of a whole split, and intervals hold what they promise."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, f1_score

from wenhuo.metrics.brief import accuracy_and_macro_f1, accuracy_interval, share_interval
from wenhuo.metrics.slices import cut, slices


def test_figures_are_those_of_scikit_learn(random_numbers):
    truth, said = random_numbers.integers(0, 3, 80), random_numbers.integers(0, 4, 80)
    accuracy, macro_f1 = accuracy_and_macro_f1(truth, said, 5)
    assert accuracy == pytest.approx(accuracy_score(truth, said))
    assert macro_f1 == pytest.approx(
        f1_score(truth, said, labels=[0, 1, 2], average="macro", zero_division=0), abs=1e-6
    )
    nothing = np.zeros(0, dtype=np.int64)
    assert accuracy_and_macro_f1(nothing, nothing, 5) == (None, None)


@pytest.mark.parametrize(("part", "whole", "expected"), [
    (0, 10, (0.0, 0.277533)), (5, 10, (0.236593, 0.763407)), (10, 10, (0.722467, 1.0)), (90, 100, (0.825634, 0.944770)),
])  # fmt: skip
def test_wilsons_interval_is_that_of_the_books(part, whole, expected):
    assert share_interval(part, whole) == pytest.approx(expected, abs=2e-4)


def test_there_is_no_interval_of_nothing():
    nothing = np.zeros(0, dtype=np.int64)
    assert share_interval(0, 0) is None
    assert accuracy_interval(nothing, nothing, resamples=9, seed=1) is None


def test_the_bootstrap_of_an_accuracy_holds_the_truth_as_often_as_it_says():
    draw, held = np.random.default_rng(5), 0
    for seed in range(300):
        right = (draw.random(200) < 0.8).astype(np.int64)
        low, high = accuracy_interval(right, np.ones(200, dtype=np.int64), resamples=400, seed=seed)
        held += low <= 0.8 <= high
    assert 0.90 < held / 300 < 0.99


def test_parts_cover_all_rows_and_the_gate_asks_about_those_that_do_not_leak():
    rows = pl.DataFrame({"text": ["字" * n for n in range(1, 31)], "source": ["a", "b", None] * 10})
    rows = rows.with_columns(leaked=pl.int_range(30) < 6, domain=pl.lit("one"))
    found = cut(rows)
    for by in ("length", "source", "leak"):
        assert sum(one.mask.sum() for one in found if one.by == by) == 30
    assert not [one for one in found if one.by == "domain"], "a single one cuts nothing"
    held = slices(rows)
    assert set(held) == {one.name for one in found} - {"rows that stand in train"}
    assert held["rows that do not stand in train"].sum() == 24
    assert cut(rows.head(0)) == []
