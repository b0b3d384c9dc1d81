import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.metrics.calibration import BINS, POINTS, answered, calibration_error, coverage_curve, reliability


def test_a_classifier_that_means_what_it_says_has_no_error():
    truth = np.array([0] * 80 + [1] * 20)
    diagram = reliability(truth, np.tile([0.8, 0.2], (100, 1)))
    assert calibration_error(diagram) == pytest.approx(0)


def test_an_overconfident_one_has_the_gap_as_its_error():
    truth = np.array([0] * 50 + [1] * 50)
    assert calibration_error(reliability(truth, np.tile([0.9, 0.1], (100, 1)))) == pytest.approx(0.4)


def test_empty_bins_are_there_and_say_nothing():
    diagram = reliability(np.array([0]), np.array([[0.9, 0.1]]))
    assert len(diagram) == BINS
    assert [b.accuracy for b in diagram].count(None) == BINS - 1


def test_no_rows_have_no_error():
    assert calibration_error(reliability(np.zeros(0, dtype=int), np.zeros((0, 2)))) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 200), st.integers(2, 5))
def test_equals_the_definition(seed, rows, classes):
    generator = np.random.default_rng(seed)
    truth, probabilities = generator.integers(classes, size=rows), generator.dirichlet(np.ones(classes), size=rows)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    expected = 0.0
    for number in range(BINS):
        held = (confidence > number / BINS) & (confidence <= (number + 1) / BINS)
        if held.any():
            expected += held.mean() * abs(right[held].mean() - confidence[held].mean())
    assert calibration_error(reliability(truth, probabilities)) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 300), st.integers(2, 5), st.booleans())
def test_a_curve_of_coverage_falls_from_all_rows_and_counts_right(seed, rows, classes, few_values):
    generator = np.random.default_rng(seed)
    truth, probabilities = generator.integers(classes, size=rows), generator.dirichlet(np.ones(classes), size=rows)
    if few_values:
        probabilities = np.eye(classes)[generator.integers(classes, size=rows)] * 0.5 + 0.5 / classes
    curve = coverage_curve(truth, probabilities)
    assert len(curve) <= POINTS
    if not rows:
        assert curve == []
        return
    assert (curve[0]["coverage"], curve[0]["rows"]) == (1, rows)
    assert curve[0]["accuracy"] == (probabilities.argmax(1) == truth).mean()
    thresholds, coverages = ([point[name] for point in curve] for name in ("threshold", "coverage"))
    assert thresholds == sorted(set(thresholds))
    assert coverages == sorted(coverages, reverse=True)
    for point in curve:
        held = probabilities.max(1) >= point["threshold"]
        assert point["rows"] == held.sum() > 0
        assert point["accuracy"] == pytest.approx((probabilities.argmax(1) == truth)[held].mean())


def test_the_surest_rows_of_a_model_that_knows_are_right_more_often():
    sure = np.linspace(0.5, 1, 2000)
    truth = (np.random.default_rng(1).random(2000) > sure).astype(int)
    curve = coverage_curve(truth, np.stack([sure, 1 - sure], axis=1))
    assert len(curve) == POINTS
    assert curve[0]["accuracy"] < 0.78
    assert curve[-1]["accuracy"] > 0.95
    assert curve[-1]["coverage"] == pytest.approx(1 / POINTS, abs=0.001)


def test_answers_of_a_threshold_that_nothing_reaches():
    found = answered(np.array([0]), np.array([[0.6, 0.4]]), 0.7)
    assert found == {"coverage": 0, "accuracy": None, "rows": 0}
    assert answered(np.zeros(0, dtype=int), np.zeros((0, 2)), 0.7)["rows"] == 0
