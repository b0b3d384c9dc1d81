"""A temperature and a threshold: found where they are planted, fitted on validation alone, harmless with few rows."""

import math
import shutil

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from tests.conftest import BAD, GOOD, NEUTRAL, write_parts
from tests.wenhuo.training.conftest import digest, train
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.encoding.store import read_rows
from wenhuo.files import read_json, write_json
from wenhuo.metrics.calibration import calibration_error, reliability
from wenhuo.models import linear as model_files
from wenhuo.models.temperature import tempered
from wenhuo.training import calibrating, candidate
from wenhuo.training.calibrating import WIDEST, fit_temperature, fit_threshold, log_loss, surely_right
from wenhuo.training.options import LinearCandidate

LABELS = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}


def world(seed, rows, classes=3, sharpness=3.0):
    """Logits, and truths drawn from their softmax: a model that means what it says."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(size=(rows, classes)) * sharpness
    truth = (softmax(logits, axis=1).cumsum(axis=1) < draw.random((rows, 1))).sum(axis=1)
    return logits, truth.clip(max=classes - 1)


@pytest.mark.parametrize("planted", [0.4, 0.8, 1.0, 1.7, 3.5])
def test_a_planted_temperature_is_found(planted):
    logits, truth = world(1, 20_000)
    assert fit_temperature(softmax(logits * planted, axis=1), truth) == pytest.approx(planted, rel=0.04)


def test_an_overconfident_model_is_found_and_mended():
    logits, truth = world(2, 4000)
    unseen, answers = world(3, 4000)
    temperature = fit_temperature(softmax(logits * 2.5, axis=1), truth)
    said = softmax(unseen * 2.5, axis=1)
    before, after = (calibration_error(reliability(answers, p)) for p in (said, tempered(said, temperature)))
    assert before > 0.1
    assert after < 0.02
    assert log_loss(said, answers, temperature) < log_loss(said, answers) - 0.15


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(2, 5), st.floats(0.1, 30), st.booleans())
def test_it_is_bounded_and_validation_fits_no_worse_than_without(seed, rows, classes, factor, wrong):
    logits, truth = world(seed, rows, classes)
    said = softmax(logits * factor, axis=1)
    truth = said.argmin(axis=1) if wrong else truth
    found = fit_temperature(said, truth)
    assert 1 / WIDEST <= found <= WIDEST
    assert log_loss(said, truth, found) <= log_loss(said, truth)
    assert fit_temperature(said[::-1], truth[::-1]) == found


def test_few_rows_that_are_all_right_make_nothing_certain():
    one = np.array([[0.9, 0.1]])
    assert 0.5 < fit_temperature(one, np.array([0])) < 1
    assert fit_temperature(np.repeat(one, 1000, axis=0), np.zeros(1000, dtype=int)) >= 1 / WIDEST
    assert 1 < fit_temperature(np.array([[1.0, 0.0]]), np.array([1])) <= WIDEST, "a zero is no infinity"
    assert fit_temperature(np.zeros((0, 2)), np.zeros(0, dtype=int)) == 1


def threshold_world(seed, rows):
    """Rows right as often as their confidence says, from 0.5 to 1."""
    draw = np.random.default_rng(seed)
    sure = 0.5 + draw.random(rows) / 2
    truth = (draw.random(rows) > sure).astype(int)
    return np.stack([sure, 1 - sure], axis=1), truth


def test_the_answers_are_right_as_often_as_asked_for_nearly_always():
    """The accuracy above t is (1 + t) / 2 here: the lowest threshold that keeps 0.9 is 0.8."""
    found = [fit_threshold(*threshold_world(seed, 1200), 0.9) for seed in range(200)]
    assert sum(one is None for one in found) < 20
    kept = [one for one in found if one is not None]
    assert np.mean([one.threshold < 0.8 for one in kept]) <= 0.05
    assert np.median([one.threshold for one in kept]) < 0.9
    assert all(one.least >= 0.9 and one.right / one.rows >= one.least for one in kept)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 400), st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_whoever_asks_for_more_is_answered_no_more_often(seed, rows, one, other):
    said, truth = threshold_world(seed, rows)
    less, more = (fit_threshold(said, truth, wanted) for wanted in sorted((one, other)))
    assert more is None or (less is not None and less.threshold <= more.threshold)


def test_no_threshold_is_better_than_one_that_is_luck():
    said = np.tile([0.9, 0.1], (20, 1))
    assert fit_threshold(said, np.zeros(20, dtype=int), 0.95) is None, "20 of 20 may be luck"
    assert fit_threshold(np.tile([0.9, 0.1], (400, 1)), np.zeros(400, dtype=int), 0.95).rows == 400
    assert fit_threshold(np.zeros((0, 2)), np.zeros(0, dtype=int), 0.5) is None


@pytest.mark.parametrize(("right", "rows"), [(0, 5), (5, 5), (57, 60), (900, 1000)])
def test_the_bound_is_that_of_clopper_and_pearson(right, rows):
    from scipy.stats import binomtest

    expected = binomtest(right, rows, alternative="greater").proportion_ci(0.95, method="exact").low
    assert surely_right(right, rows, 0.05) == pytest.approx(expected, abs=1e-12)


@pytest.fixture(scope="module")
def ngrams_of(tmp_path_factory):
    """Makes the encoded rows of a tiny corpus, the labels of one split of which are turned round."""

    def encoded(turned=None):
        folder = tmp_path_factory.mktemp("turned")
        parts = write_parts(folder / "parts", {"train": 120, "validation": 90, "test": 60}, LABELS)
        if turned:
            table = pl.read_parquet(parts / f"{turned}.parquet")
            table = table.with_columns(pl.col("label").reverse())
            table.write_parquet(parts / f"{turned}.parquet")
        corpus.encode_ngrams(Ngrams(kind="ngrams"), corpus.read_dataset(parts), folder / "encoded")
        return folder / "encoded"

    return encoded


def linear(encoded, folder, **more):
    folder.mkdir(parents=True)
    candidate.train_linear(LinearCandidate(kind="linear", encoder="x", **more), 13, encoded, folder)
    return read_json(folder / "wenhuo.json")


def test_test_labels_change_nothing_and_validation_labels_do(ngrams_of, tmp_path):
    plain = linear(ngrams_of(), tmp_path / "plain", abstain=0.8)
    assert linear(ngrams_of("test"), tmp_path / "test", abstain=0.8) == plain
    assert digest(tmp_path / "plain") == digest(tmp_path / "test")
    assert plain["temperature"] != 1
    assert plain["abstain_for"] == 0.8
    turned = linear(ngrams_of("validation"), tmp_path / "validation", abstain=0.8)
    assert turned["temperature"] > plain["temperature"]
    assert turned["abstain_below"] is None, "it is right on no validation row, so nothing helps"


def test_none_leaves_the_probabilities_alone(ngrams_of, tmp_path, capsys):
    encoded = ngrams_of()
    assert linear(encoded, tmp_path / "none", calibrate="none")["temperature"] == 1
    assert "temperature" not in capsys.readouterr().out
    linear(encoded, tmp_path / "fitted")
    plain, fitted = (Classifier.load(tmp_path / name) for name in ("none", "fitted"))
    texts = ["房间很干净", "太贵，失望", "一般", ""]
    assert fitted.card.temperature != 1
    expected = tempered(plain.probabilities(texts), fitted.card.temperature)
    assert np.array_equal(fitted.probabilities(texts), expected)


def test_too_much_asked_for_is_said_and_all_is_answered(ngrams_of, tmp_path, capsys):
    card = linear(ngrams_of(), tmp_path / "model", abstain=0.999)
    assert (card["abstain_below"], card["abstain_for"]) == (None, 0.999)
    assert "no threshold is sure to make 99.9% of the answers right" in capsys.readouterr().out
    assert all(found.label for found in Classifier.load(tmp_path / "model").predict(["干净", "好", ""]))


@pytest.mark.parametrize("more", [{}, {"tune": {"kind": "lora", "rank": 2, "merge": True}}], ids=["full", "merged"])
def test_it_is_fitted_to_what_the_stored_transformer_says(parts, tmp_path, more):
    """The encoder makes windows of most texts, whose logits are pooled."""
    windows = Tokens(kind="tokens", max_tokens=12, keep="windows", stride=5)
    corpus.encode_tokens(windows, corpus.read_dataset(parts), tmp_path / "encoded")
    model, _ = train(tmp_path, tmp_path / "encoded", epochs=8, learning_rate=0.01, abstain=0.2, **more)
    card = read_json(model / "wenhuo.json")
    assert card["temperature"] != 1
    write_json(model / "wenhuo.json", card | {"temperature": 1.0})
    table = corpus.read_dataset(parts).tables["validation"]
    labels = read_rows(tmp_path / "encoded/validation.arrow").labels
    said = Classifier.load(model).probabilities(table["text"].to_list())
    assert fit_temperature(said, labels) == pytest.approx(card["temperature"], abs=2e-4)
    found = fit_threshold(tempered(said, card["temperature"]), labels, 0.2)
    assert found is not None
    assert found.threshold == pytest.approx(card["abstain_below"], abs=1e-5)


def test_nothing_is_written_but_the_card_and_the_same_twice(ngrams_of, tmp_path):
    encoded = ngrams_of()
    linear(encoded, tmp_path / "model", calibrate="none")
    before = digest(tmp_path / "model")
    calibrating.calibrate(LinearCandidate(kind="linear", encoder="x"), encoded, tmp_path / "model")
    first = digest(tmp_path / "model")
    assert {name for name in first if first[name] != before[name]} == {"wenhuo.json"}
    calibrating.calibrate(LinearCandidate(kind="linear", encoder="x"), encoded, tmp_path / "model")
    assert digest(tmp_path / "model") == first


def test_a_model_of_planted_overconfidence_is_mended_by_calibrating_its_folder(ngrams_of, tmp_path):
    """Its calibration, fitted by cross-validation, is made five times as steep."""
    encoded = ngrams_of("validation")
    linear(encoded, tmp_path / "model", calibrate="none")
    made = model_files.load(tmp_path / "model")
    steep = model_files.LinearModel(made.weights, made.bias, made.slope * 5, made.offset * 5)
    model_files.save(steep, tmp_path / "model")
    shutil.copytree(tmp_path / "model", tmp_path / "mended")
    calibrating.calibrate(LinearCandidate(kind="linear", encoder="x"), encoded, tmp_path / "mended")
    texts = ["房间很干净", "太贵，失望"]
    plain, mended = (Classifier.load(tmp_path / name).probabilities(texts) for name in ("model", "mended"))
    assert (mended.max(axis=1) < plain.max(axis=1)).all()
    assert math.isclose(mended.sum(), 2)
