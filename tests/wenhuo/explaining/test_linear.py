"""Contributions of n-grams: exact, complete, and on the characters that they are made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from tests.conftest import BAD, GOOD
from wenhuo.encoding import ngrams
from wenhuo.encoding.options import Ngrams
from wenhuo.explaining.explanation import strongest, words
from wenhuo.explaining.linear import OpenedLinear, contributions, grams, spread_over
from wenhuo.models.folder import read_card
from wenhuo.models.linear import LinearModel

TEXTS = st.text(alphabet="好坏房间很AbİΣ \t\n，。1", max_size=30)


def fitted(seed, options, classes, *, calibrated):
    """A vectorizer of some texts and a random model."""
    vectorizer = ngrams.fit(["房间很好，Ab 1", "好坏 房间", "很坏。 AB  İΣ很好", "房 间 a b"], options)
    generator = np.random.default_rng(seed)
    features = len(vectorizer.vocabulary_)
    slope = -generator.random(classes) - 0.5 if calibrated else np.zeros(0)
    offset = generator.normal(size=classes) if calibrated else np.zeros(0)
    weights = generator.normal(size=(classes, features)).astype(np.float32)
    return OpenedLinear(vectorizer, LinearModel(weights, generator.normal(size=classes), slope, offset), options)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(0, 10**6), st.integers(2, 5), st.booleans(), st.sampled_from(["characters", "words"]))
def test_the_characters_add_up_to_the_change_in_the_log_odds(text, seed, classes, calibrated, unit):
    options = Ngrams(kind="ngrams", unit=unit, shortest=1, longest=3, min_rows=1)
    opened = fitted(seed, options, classes, calibrated=calibrated)
    for label in range(classes):
        found = opened.attribute(text, label)
        assert found.characters.shape == (len(text),)
        assert found.gap == pytest.approx(0, abs=1e-6) and found.complete


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(["characters", "words"]))
def test_the_n_grams_are_those_of_the_vectorizer(text, unit):
    options = Ngrams(kind="ngrams", unit=unit, shortest=1, longest=3, min_rows=1)
    analyse = ngrams._vectorizer(options).build_analyzer()
    assert sorted(gram for gram, _ in grams(text, options)) == sorted(analyse(text))


@pytest.mark.parametrize("calibrated", [True, False])
def test_the_log_odds_are_those_of_the_probability_of_two_classes(calibrated):
    opened = fitted(1, Ngrams(kind="ngrams", min_rows=1), 2, calibrated=False)
    if calibrated:  # one plane for two classes, and calibration that mirrors
        plane = opened.model.weights[0]
        model = LinearModel(np.stack([-plane, plane]), np.array([-0.3, 0.3]), np.array([-2.0, -2.0]), np.zeros(2))
        opened = OpenedLinear(opened.vectorizer, model, opened.options)
    found = opened.attribute("房间很好", None)
    assert found.log_odds == pytest.approx(logit(found.probabilities[found.label]), abs=1e-9)


def test_a_part_is_the_weight_times_the_value():
    """Nothing is approximated: of a calibrated model a part is slope x weight x value."""
    weights = np.array([[1, -2, 4], [0, 1, 0]], dtype=np.float32)
    model = LinearModel(weights, np.array([0.5, 0]), np.array([-1.5, -1]), np.array([0.25, 0]))
    parts, log_odds, without = contributions(model, np.array([0, 2]), np.array([0.6, 0.8]), 0)
    assert parts == pytest.approx([1.5 * 1 * 0.6, 1.5 * 4 * 0.8])
    assert without == pytest.approx(1.5 * 0.5 - 0.25)
    assert log_odds == pytest.approx(without + parts.sum())


def test_an_n_gram_is_shared_by_its_places_and_characters():
    options = Ngrams(kind="ngrams", shortest=2, longest=2)
    spread = spread_over("好好吃好好", options, {"好好": 0, "吃好": 1}, {0: 4.0, 1: 1.0})
    assert spread == pytest.approx([1, 1, 0.5, 1.5, 1])


def test_white_space_counts_as_scikit_learn_reads_it():
    options = Ngrams(kind="ngrams", shortest=3, longest=3)
    assert spread_over("a \t b", options, {"a b": 0}, {0: 5.0}) == pytest.approx([1, 1, 1, 1, 1])


def test_telling_words_are_the_strongest(linear_model):
    opened = OpenedLinear.load(linear_model, read_card(linear_model))
    for telling, label in ((GOOD, "positive"), (BAD, "negative")):
        for word in telling:
            text = f"这家酒店的{word}电脑屏幕"
            found = opened.attribute(text, read_card(linear_model).labels.index(label))
            best = found.characters.argsort()[::-1][:2]
            assert set(best) == {text.index(word), text.index(word) + 1}


def test_word_n_grams_stand_where_their_words_stand(logistic_model):
    opened = OpenedLinear.load(logistic_model, read_card(logistic_model))
    text = "我们就是昨天入住，房间干净"
    found = opened.attribute(text, None)
    assert found.complete
    assert strongest(words(text, found.characters, found.read), 1)[0].text == "干净"
    assert not found.characters[text.index("，")]


def test_a_text_of_which_nothing_is_known_adds_nothing(linear_model):
    found = OpenedLinear.load(linear_model, read_card(linear_model)).attribute("xyz", None)
    assert not found.characters.any() and found.log_odds == found.without
