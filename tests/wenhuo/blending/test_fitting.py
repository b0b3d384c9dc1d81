"""Weights: planted members that err on different rows are both heard, noise is not, and few rows decide little."""

import numpy as np
import pytest
from scipy.special import softmax

from wenhuo.blending.fitting import fit_weights
from wenhuo.models.blend import blended
from wenhuo.training.calibrating import log_loss


def drawn(generator, rows, strengths, classes=3):
    """A member for each strength, calibrated, whose evidence is its own; and the truth."""
    truth = generator.integers(classes, size=rows)
    signs = [s * np.eye(classes)[truth] + generator.normal(size=(rows, classes)) for s in strengths]
    return [softmax(s * found, axis=1) for s, found in zip(strengths, signs, strict=True)], truth


def test_members_that_err_on_different_rows_make_a_better_blend(random_numbers):
    members, truth = drawn(random_numbers, 600, (2, 2))
    weights = fit_weights(members, truth)
    assert weights == pytest.approx([1, 1], abs=0.25)  # evidence that is apart is added up
    others, known = drawn(random_numbers, 2000, (2, 2))
    found = blended(others, weights)
    assert log_loss(found, known) < 0.8 * min(log_loss(one, known) for one in others)
    right = [(one.argmax(1) == known).mean() for one in (found, *others)]
    assert right[0] > max(right[1:]) + 0.03


def test_a_member_of_noise_gets_about_no_weight(random_numbers):
    [good], truth = drawn(random_numbers, 600, (2.5,))
    noise = softmax(3 * random_numbers.normal(size=good.shape), axis=1)
    weights = fit_weights([good, noise], truth)
    assert weights[0] == pytest.approx(1, abs=0.2)
    assert weights[1] < 0.08


def test_a_copy_shares_the_weight_and_changes_nothing(random_numbers):
    [one], truth = drawn(random_numbers, 4000, (2,))
    weights = fit_weights([one, one], truth)
    assert weights[0] == pytest.approx(weights[1], abs=1e-3)
    assert sum(weights) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_twenty_rows_leave_the_weights_near_equal_ones(count):
    for seed in range(20):
        members, truth = drawn(np.random.default_rng(seed), 20, (2,) * count)
        assert fit_weights(members, truth) == pytest.approx([1 / count] * count, abs=0.4)


def test_no_rows_and_useless_members_leave_equal_weights():
    assert fit_weights([np.zeros((0, 3))] * 2, np.zeros(0, dtype=np.int64)) == [0.5, 0.5]
    unsure = np.full((50, 4), 0.25)
    assert fit_weights([unsure, unsure], np.zeros(50, dtype=np.int64)) == [0.5, 0.5]


def test_a_member_that_is_sure_and_wrong_once_leaves_numbers(random_numbers):
    members, truth = drawn(random_numbers, 100, (2, 2))
    members[0][0] = np.eye(3)[(truth[0] + 1) % 3]
    weights = fit_weights(members, truth)
    assert np.isfinite(weights).all() and weights[0] < weights[1]


def test_more_validation_never_makes_it_worse_than_the_best_member(random_numbers):
    for strengths in ((2, 2), (3, 1), (2.5, 0.1)):
        members, truth = drawn(random_numbers, 500, strengths)
        found = blended(members, fit_weights(members, truth))
        assert log_loss(found, truth) <= min(log_loss(one, truth) for one in members)


def test_weights_have_four_digits(random_numbers):
    members, truth = drawn(random_numbers, 100, (2, 1))
    assert all(weight == round(weight, 4) for weight in fit_weights(members, truth))
