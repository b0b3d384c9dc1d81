import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.metrics.curves import MACRO, MICRO, POINTS, curves, thinned


def sampled(rows, classes, present=None):
    generator = np.random.default_rng(1)
    truth = generator.integers(present or classes, size=rows)
    probabilities = generator.dirichlet(np.ones(classes), size=rows)
    probabilities[np.arange(rows), truth] += 0.3
    return truth, probabilities / probabilities.sum(1, keepdims=True)


@given(st.integers(1, 5000))
def test_thinning_keeps_the_ends_and_few_points(length):
    kept = thinned(length)
    assert kept[0] == 0 and kept[-1] == length - 1
    assert len(kept) == len(set(kept.tolist())) == min(length, POINTS)


@pytest.mark.parametrize("kind", ["roc", "pr"])
@pytest.mark.parametrize(
    ("classes", "names"), [(2, ["a", "b"]), (3, [MACRO, MICRO, "a", "b", "c"]), (8, [MACRO, MICRO])]
)
def test_which_curves_are_shown(kind, classes, names):
    shown = curves(kind, *sampled(3000, classes), list("abcdefgh"[:classes]))
    assert [curve.name for curve in shown] == names
    for curve in shown:
        assert len(curve.x) == len(curve.y) <= POINTS
        assert 0 <= curve.area <= 1
        assert (np.diff(curve.x) >= 0).all() and curve.x[0] == 0 and curve.x[-1] == 1


def test_a_class_without_rows_has_no_curve():
    shown = curves("roc", *sampled(50, 3, present=2), ["a", "b", "absent"])
    assert [curve.name for curve in shown] == [MACRO, MICRO, "a", "b"]


def test_one_class_alone_has_nothing_to_tell_apart():
    assert curves("pr", *sampled(50, 3, present=1), ["a", "b", "c"]) == []


def test_a_perfect_classifier_has_the_whole_area():
    truth = np.array([0, 1, 0, 1])
    assert [curve.area for curve in curves("roc", truth, np.eye(2)[truth], ["a", "b"])] == [1, 1]
