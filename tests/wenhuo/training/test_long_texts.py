"""Windows: one policy in training, evaluation and serving, for full trainings and for kept features."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from tests.wenhuo.training.conftest import digest, train, train_with_a_kill
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.models import transformer
from wenhuo.models.folder import read_card


@pytest.fixture(scope="module", params=["mean", "max"])
def windows(request, parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded") / request.param
    options = Tokens(kind="tokens", max_tokens=10, keep="windows", stride=4, pool=request.param)
    corpus.encode_tokens(options, corpus.read_dataset(parts), folder)
    return folder


@pytest.mark.parametrize("how", ["mean", "max"])
def test_pooling_equals_a_loop(how):
    scores = torch.tensor(np.random.default_rng(0).normal(size=(6, 3)), requires_grad=True)
    found = transformer.pool(scores, [2, 1, 3], how)
    parts = [scores[:2], scores[2:3], scores[3:]]
    expected = [part.mean(0) if how == "mean" else part.max(0).values for part in parts]
    assert torch.allclose(found, torch.stack(expected))
    assert transformer.pool(scores, None, how) is scores


@pytest.mark.parametrize("tune", ["full", "head"])
@pytest.mark.parametrize("head", ["mean", "cnn"])
def test_training_and_serving_say_the_same_of_long_texts(windows, parts, tmp_path, tune, head):
    model, points = train(tmp_path, windows, epochs=1, tune=tune, head=head, calibrate="none")
    dataset, truth = corpus.read_dataset(parts), corpus.read_dataset(parts).class_ids("validation")
    classifier = Classifier.load(model)
    found = classifier.probabilities(dataset.texts("validation"))
    loss = -np.log(found[np.arange(len(truth)), truth]).mean()
    assert loss == pytest.approx(next(p.value for p in points if p.metric == "validation/loss"), abs=2e-5)

    card = read_card(model)
    network = transformer.load(model, card.head, 3)
    text = "这家酒店房间很干净我们喜欢推荐" * 3
    from wenhuo.encoding import tokens

    [rows] = tokens.load(model, card.encoder).encode([text])
    assert len(rows) > 3
    with torch.no_grad():
        logits = np.stack([network(*transformer.pad_rows([row], 0))[0].numpy() for row in rows])
    pooled = logits.mean(0) if card.encoder.pool == "mean" else logits.max(0)
    assert np.allclose(classifier.probabilities([text])[0], softmax(pooled.astype(np.float64)), atol=1e-5)


WAYS = [{}, {"tune": "head"}, {"tokens_at_once": 50}, {"batch_size": None, "batch_tokens": 400}]


@pytest.mark.parametrize("more", WAYS, ids=str)
def test_windows_learn_and_survive_a_kill(windows, tmp_path, monkeypatch, more):
    more = {**more, "epochs": 2}
    whole, points = train(tmp_path / "whole", windows, **more)
    broken, resumed = train_with_a_kill(tmp_path / "broken", windows, monkeypatch, 17, **more)
    assert digest(whole) == digest(broken)
    assert points == resumed


def test_words_beyond_the_first_window_are_read(windows, tmp_path):
    model, _ = train(tmp_path, windows, epochs=6, learning_rate=0.01)
    filler = "这家酒店的房间前台书本"
    assert Classifier.load(model).predict([filler + "肮脏", filler + "干净"])[1].label == "positive"
