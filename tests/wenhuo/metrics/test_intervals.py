import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support, roc_auc_score

from wenhuo.metrics.classification import FIGURES, measure
from wenhuo.metrics.intervals import counts, ranking, resampled_figures, scores_from_counts


def sampled(seed, rows, classes, accuracy=0.8):
    """A classifier that is right with a known probability."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(classes, size=rows)
    right = generator.random(rows) < accuracy
    predicted = np.where(right, truth, (truth + generator.integers(1, classes, size=rows)) % classes)
    probabilities = generator.random((rows, classes)) * 0.3
    probabilities[np.arange(rows), predicted] += 1
    return truth, probabilities / probabilities.sum(1, keepdims=True)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(200, 500), st.integers(2, 5), st.floats(0.5, 0.95))
def test_the_interval_contains_the_estimate(seed, rows, classes, accuracy):
    truth, probabilities = sampled(seed, rows, classes, accuracy)
    found = measure(truth, probabilities, [str(k) for k in range(classes)], bootstrap=200, seed=5)
    assert set(found["intervals"]) == set(FIGURES)
    for name in FIGURES:
        low, high = found["intervals"][name]
        assert low <= found[name] <= high, name


def test_the_interval_covers_a_known_accuracy_about_95_times_in_100():
    inside = 0
    for seed in range(300):
        truth, probabilities = sampled(seed, 400, 2, 0.85)
        low, high = np.quantile(resampled_figures(truth, probabilities, 300, seed)["accuracy"], [0.025, 0.975])
        inside += low <= 0.85 <= high
    assert 0.90 <= inside / 300 <= 0.98  # 0.95 give or take four standard errors of the simulation


def test_a_bigger_split_has_a_narrower_interval():
    widths = []
    for rows in (100, 2500):
        low, high = measure(*sampled(1, rows, 2), ["a", "b"], bootstrap=500, seed=1)["intervals"]["accuracy"]
        widths.append(high - low)
    assert widths[1] < widths[0] / 3  # a fifth, by the square root


def test_every_resample_has_as_many_rows_and_the_seed_decides_them():
    first, again, other = (np.hstack(list(counts(50, 300, seed))) for seed in (1, 1, 2))
    assert (first.sum(axis=0) == 50).all()
    assert (first == again).all() and not (first == other).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 4))
def test_scores_of_a_resample_are_those_of_its_rows(seed, rows, classes):
    generator = np.random.default_rng(seed)
    truth, predicted, weights = (generator.integers(top, size=rows) for top in (classes, classes, 3))
    if not weights.sum():
        weights[0] = 1
    drawn_truth, drawn = np.repeat(truth, weights), np.repeat(predicted, weights)
    tally = [np.bincount(v, minlength=classes)[:, None].astype(float) for v in (drawn_truth, drawn)]
    hit = np.bincount(drawn_truth[drawn_truth == drawn], minlength=classes)[:, None].astype(float)
    found = scores_from_counts(hit, *tally)
    for average in ("macro", "weighted"):
        expected = precision_recall_fscore_support(
            drawn_truth, drawn, labels=np.unique(drawn_truth), average=average, zero_division=0
        )
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            assert found[f"{average}_{name}"][0] == pytest.approx(value)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(1, 20))
def test_rankings_equal_sklearn_with_weights_and_ties(seed, rows, levels):
    generator = np.random.default_rng(seed)
    positive, scores = generator.random(rows) < 0.4, generator.integers(levels, size=rows) / levels
    positive[:2] = True, False
    weights = generator.integers(0, 4, size=(rows, 3)).astype(float)
    weights[:2] = 1
    auc, average = ranking(positive, scores, weights)
    for place in range(3):
        assert auc[place] == pytest.approx(roc_auc_score(positive, scores, sample_weight=weights[:, place]))
        assert average[place] == pytest.approx(
            average_precision_score(positive, scores, sample_weight=weights[:, place])
        )


def test_a_thousand_resamples_of_ten_thousand_rows_are_quick():
    truth, probabilities = sampled(1, 10_000, 10)
    began = time.process_time()
    measure(truth, probabilities, [str(k) for k in range(10)], bootstrap=1000, seed=1)
    assert time.process_time() - began < 10  # about 1.5 s on a free core
