"""Temperatures keep the order, hold at the edges, and are applied once; abstaining leaves the label out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError
from scipy.special import softmax

from wenhuo import Classifier
from wenhuo.files import read_json, write_json
from wenhuo.models.classifier import Prediction
from wenhuo.models.folder import Card
from wenhuo.models.temperature import tempered

SHARES = arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(2, 5)), elements=st.floats(0, 1))
TEMPERATURES = st.floats(0.05, 20)


@settings(max_examples=300, deadline=None)
@given(SHARES, TEMPERATURES, st.booleans())
def test_the_class_predicted_never_changes(raw, temperature, nearly_tied):
    if nearly_tied:
        raw = 0.5 + raw * 1e-15
    given_rows = raw[raw.sum(axis=1) > 0]
    said = given_rows / given_rows.sum(axis=1, keepdims=True)
    found = tempered(said, temperature)
    assert np.array_equal(found.argmax(axis=1), said.argmax(axis=1))
    assert np.allclose(found.sum(axis=1), 1)
    assert ((found >= 0) & (found <= 1)).all()
    assert not found[said == 0].any()


@given(arrays(np.float64, (4, 3), elements=st.floats(-300, 300)), TEMPERATURES)
def test_it_is_the_softmax_of_divided_logits(logits, temperature):
    assert np.allclose(tempered(softmax(logits, axis=1), temperature), softmax(logits / temperature, axis=1))


def test_the_edges():
    certain = np.array([[1.0, 0.0], [1.0 - 1e-16, 1e-300]])
    for temperature in (0.05, 1.0, 20.0):
        found = tempered(certain, temperature)
        assert np.isfinite(found).all()
        assert found[0].tolist() == [1, 0]
    assert tempered(np.zeros((0, 3)), 2.0).shape == (0, 3)
    said = np.array([[0.3, 0.7]])
    assert tempered(said, 1.0) is said


@pytest.mark.parametrize("bad", [{"temperature": 0}, {"temperature": float("nan")}, {"temperature": float("inf")}])
def test_a_card_has_a_temperature_that_is_one(bad):
    about = {"kind": "linear", "labels": ["a", "b"], "cleaning": {}, "encoder": {"kind": "ngrams"}, "trained_on": {}}
    old = Card.model_validate(about)
    assert (old.temperature, old.abstain_below, old.abstain_for) == (1, None, None)
    with pytest.raises(ValidationError):
        Card.model_validate(about | bad)


@pytest.fixture
def told(linear_model, tmp_path):
    """Loads the linear model with other values in its card."""
    import shutil

    shutil.copytree(linear_model, tmp_path / "model")
    card = read_json(tmp_path / "model/wenhuo.json")

    def load(**values):
        write_json(tmp_path / "model/wenhuo.json", card | values)
        return Classifier.load(tmp_path / "model")

    return load


TEXTS = ["房间很干净，推荐", "太贵，失望", "一般", "", "书本纸张"]


def test_the_temperature_of_the_card_is_applied_once(told):
    plain = told(temperature=1.0).probabilities(TEXTS)
    assert np.array_equal(told(temperature=2.5).probabilities(TEXTS), tempered(plain, 2.5))


def test_a_model_that_abstains_gives_no_label_but_says_what_it_would_be(told):
    plain = told(abstain_below=None)
    surest = plain.probabilities(TEXTS).max(axis=1)
    below = float(np.sort(surest)[2])
    found = told(abstain_below=below).predict(TEXTS)
    assert [one.label is None for one in found] == (surest < below).tolist()
    assert sum(one.abstained for one in found) == 2
    for one, before in zip(found, plain.predict(TEXTS), strict=True):
        assert (one.best, one.probability, one.probabilities) == (before.best, before.probability, before.probabilities)
        assert before.label == before.best and not before.abstained


def test_what_is_printed_when_a_model_abstains(capsysbinary):
    import orjson

    from wenhuo.serving import print_lines, print_table

    results = [("好", Prediction(None, 0.6, {"a": 0.6, "b": 0.4}, "a")), ("坏", Prediction("b", 0.9, {}, "b"))]
    print_lines(results)
    first, second = map(orjson.loads, capsysbinary.readouterr().out.splitlines())
    assert (first["label"], first["best"], first["probability"]) == (None, "a", 0.6)
    assert (second["label"], second["best"]) == ("b", "b")
    print_table(results)
    table = capsysbinary.readouterr().out.decode()
    assert "none (a?)" in table
    assert "b?" not in table
