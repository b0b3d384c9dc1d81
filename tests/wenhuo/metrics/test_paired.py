import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from wenhuo.metrics.paired import class_differences, differences, mcnemar, resampled_differences


def guess(generator, truth, classes, accuracy):
    """Predictions that are right with a known probability."""
    wrong = (truth + generator.integers(1, classes, size=len(truth))) % classes
    return np.where(generator.random(len(truth)) < accuracy, truth, wrong)


def two(seed, rows, classes, first, second):
    generator = np.random.default_rng(seed)
    truth = generator.integers(classes, size=rows)
    return truth, guess(generator, truth, classes, first), guess(generator, truth, classes, second)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(30, 200), st.integers(2, 6))
def test_the_figures_are_sklearns_and_the_interval_holds_their_difference(seed, rows, classes):
    truth, one, other = two(seed, rows, classes, 0.8, 0.6)
    found = differences(truth, one, other, classes, resamples=200, seed=1)
    macro = [f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0) for said in (one, other)]
    assert [found["macro_f1"].first, found["macro_f1"].second] == pytest.approx(macro, abs=1e-6)
    accuracy = [accuracy_score(truth, said) for said in (one, other)]
    assert [found["accuracy"].first, found["accuracy"].second] == pytest.approx(accuracy, abs=1e-6)
    for figure in found.values():
        low, high = figure.interval
        assert low - 0.02 <= figure.difference <= high + 0.02  # the bootstrap of few rows is biased a little


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(30, 200), st.integers(2, 6))
def test_the_f1_of_each_class_is_sklearns(seed, rows, classes):
    truth, one, other = two(seed, rows, classes, 0.8, 0.6)
    found = class_differences(truth, one, other, classes + 1, resamples=200, seed=1)
    assert found.pop() is None  # a class of no row
    for said, which in ((one, "first"), (other, "second")):
        scores = f1_score(truth, said, labels=range(classes), average=None, zero_division=0)
        for label, score in enumerate(scores):
            if (truth == label).any():
                assert getattr(found[label], which) == pytest.approx(score, abs=1e-6)
    for figure in filter(None, found):
        assert -1 <= figure.interval[0] <= figure.interval[1] <= 1
    macro = differences(truth, one, other, classes, resamples=0, seed=1)["macro_f1"].difference
    assert np.mean([figure.difference for figure in found if figure]) == pytest.approx(macro, abs=1e-5)


def test_a_resample_is_one_of_the_rows_themselves():
    """Drawing cells is drawing rows: the same mean and spread as a bootstrap that draws row by row."""
    truth, one, other = two(3, 300, 3, 0.85, 0.75)
    drawn = resampled_differences(truth, one, other, 3, resamples=4000, seed=1)["accuracy"]
    generator = np.random.default_rng(2)
    rows = generator.integers(300, size=(4000, 300))
    plain = (one == truth)[rows].mean(axis=1) - (other == truth)[rows].mean(axis=1)
    assert drawn.mean() == pytest.approx(plain.mean(), abs=0.002)
    assert drawn.std() == pytest.approx(plain.std(), rel=0.06)


def test_the_order_of_the_rows_changes_nothing():
    truth, one, other = two(5, 200, 4, 0.8, 0.7)
    mixed = np.random.default_rng(1).permutation(200)
    found = differences(truth, one, other, 4, resamples=300, seed=9)
    assert found == differences(truth[mixed], one[mixed], other[mixed], 4, resamples=300, seed=9)
    assert found != differences(truth, one, other, 4, resamples=300, seed=10)


def test_swapping_the_two_turns_the_sign():
    truth, one, other = two(6, 400, 2, 0.9, 0.8)
    there = differences(truth, one, other, 2, resamples=0, seed=0)["macro_f1"]
    back = differences(truth, other, one, 2, resamples=0, seed=0)["macro_f1"]
    assert there.difference == -back.difference > 0
    assert there.interval is None and there.ahead is None


def test_a_classifier_differs_from_itself_by_nothing():
    truth, one, _ = two(7, 100, 3, 0.7, 0.7)
    found = differences(truth, one, one, 3, resamples=200, seed=0)["macro_f1"]
    assert (found.difference, found.interval, found.ahead) == (0.0, (0.0, 0.0), 0.0)
    assert mcnemar(truth, one, one).p_value == 1.0


def test_equals_are_told_apart_in_about_one_case_of_twenty():
    outside = chance = 0
    for seed in range(400):
        truth, one, other = two(seed, 300, 2, 0.85, 0.85)
        low, high = differences(truth, one, other, 2, resamples=300, seed=seed)["macro_f1"].interval
        outside += not low <= 0 <= high
        chance += mcnemar(truth, one, other).p_value < 0.05
    assert 0.02 <= outside / 400 <= 0.085  # 0.05 give or take three standard errors of the simulation
    assert chance / 400 <= 0.05 + 0.03  # the exact test errs on the safe side


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_the_binomial_test(ahead, behind):
    right = np.repeat([True, False], [ahead, behind])
    truth = np.ones(len(right), dtype=np.int64)
    found = mcnemar(truth, right.astype(np.int64), (~right).astype(np.int64))
    assert (found.only_first, found.only_second) == (ahead, behind)
    expected = binomtest(ahead, ahead + behind).pvalue if ahead + behind else 1.0
    assert found.p_value == pytest.approx(expected, rel=1e-9)


def test_ten_thousand_resamples_of_ten_thousand_rows_are_quick():
    data = two(1, 10_000, 10, 0.9, 0.89)
    began = time.process_time()
    differences(*data, 10, resamples=10_000, seed=1)
    assert time.process_time() - began < 5  # about half a second on a free core
