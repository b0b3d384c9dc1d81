import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from wenhuo.errors import ModelError
from wenhuo.metrics.classification import FIGURES, measure


def sampled(seed, rows, classes, *, skill=1.0, coarse=False):
    """True classes and probabilities of a made-up classifier; coarse ones have many ties."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(classes, size=rows)
    scores = generator.dirichlet(np.ones(classes), size=rows)
    scores[np.arange(rows), truth] += skill * generator.random(rows)
    if coarse:
        scores = scores.round(1) + 0.05
    return truth, scores / scores.sum(axis=1, keepdims=True)


def named(classes):
    return [f"类{number}" for number in range(classes)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 80), st.integers(2, 6), st.booleans())
@example(2, 27, 2, True)
def test_equals_sklearn(seed, rows, classes, coarse):
    truth, probabilities = sampled(seed, rows, classes, coarse=coarse)
    found = measure(truth, probabilities, named(classes), bootstrap=0, seed=1)
    predicted, present = probabilities.argmax(1), np.unique(truth)
    scores = {"macro": {}, "weighted": {}}
    for average in scores:
        values = sk.precision_recall_fscore_support(truth, predicted, labels=present, average=average, zero_division=0)
        scores[average] = dict(zip(("precision", "recall", "f1"), values, strict=False))
    expected = {f"{a}_{name}": value for a, group in scores.items() for name, value in group.items()}
    expected["accuracy"] = sk.accuracy_score(truth, predicted)
    expected["log_loss"] = sk.log_loss(truth, probabilities, labels=range(classes))
    one_hot = np.eye(classes)[truth]
    expected["brier"] = ((probabilities - one_hot) ** 2).sum(1).mean()
    if len(present) == classes:
        multi = {} if classes == 2 else {"multi_class": "ovr"}
        ranked = probabilities.round(12)  # p and 1 - p tie in the same rows
        shown = ranked[:, 1] if classes == 2 else ranked
        expected["roc_auc"] = sk.roc_auc_score(truth, shown, **multi)
        expected["average_precision"] = sk.average_precision_score(one_hot, ranked, average="macro")
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=2e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(2, 5), st.booleans())
def test_the_order_of_the_rows_changes_nothing(seed, rows, classes, coarse):
    truth, probabilities = sampled(seed, rows, classes, coarse=coarse)
    order = np.random.default_rng(seed + 1).permutation(rows)
    before, after = (
        measure(t, p, named(classes), bootstrap=100, seed=3)
        for t, p in ((truth, probabilities), (truth[order], probabilities[order]))
    )
    assert before == after


def test_a_class_without_rows_is_null_and_leaves_the_macro_averages_alone():
    truth = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
    found = measure(truth, probabilities, ["a", "b", "absent"], bootstrap=100, seed=1)
    assert found["per_class"]["absent"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert found["macro_recall"] == 0.75  # the row given to the absent class is still a miss of its own
    assert found["roc_auc"] is not None
    assert None not in [found[name] for name in FIGURES]


def test_a_class_that_is_never_predicted_is_a_zero_and_not_a_null():
    truth, probabilities = np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]])
    found = measure(truth, probabilities, ["a", "b"], bootstrap=0, seed=1)
    assert found["per_class"]["b"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert found["macro_f1"] == pytest.approx(1 / 3, abs=1e-6)


def test_one_class_only_has_no_ranking():
    found = measure(np.zeros(3, dtype=int), np.full((3, 2), 0.5), ["a", "b"], bootstrap=100, seed=1)
    assert found["roc_auc"] is None and found["average_precision"] is None
    assert found["intervals"]["roc_auc"] is None
    assert found["accuracy"] == 1


def test_no_rows_have_no_figures():
    found = measure(np.zeros(0, dtype=int), np.zeros((0, 2)), ["a", "b"], bootstrap=100, seed=1)
    assert found["rows"] == 0
    assert {found[name] for name in FIGURES} == {None}
    assert found["per_class"]["a"]["support"] == 0


def test_one_row_and_one_label_do_not_crash():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure(np.array([1]), np.array([[0.4, 0.6]]), ["a", "b"], bootstrap=100, seed=1)["accuracy"] == 1
        assert measure(np.array([0]), np.array([[1.0]]), ["a"], bootstrap=100, seed=1)["log_loss"] is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.5])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ModelError, match="1 of 2 rows"):
        measure(np.array([0, 1]), np.array([[0.5, 0.5], [bad, 0.5]]), ["a", "b"], bootstrap=0, seed=1)


def test_another_number_of_classes_is_refused():
    with pytest.raises(ModelError, match="shape"):
        measure(np.array([0, 1]), np.full((2, 3), 1 / 3), ["a", "b"], bootstrap=0, seed=1)
