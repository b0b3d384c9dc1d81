import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wenhuo.metrics.calibration import BINS, calibration_error, reliability


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
