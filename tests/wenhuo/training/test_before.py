"""What a network says before its first step is kept, comes from its first weights alone, and disturbs nothing."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from safetensors.torch import load_file

from tests.wenhuo.training.conftest import digest, options, train, train_with_a_kill
from tests.wenhuo.training.test_tuning import own_checkpoint  # noqa: F401 - a fixture
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.store import read_ids
from wenhuo.training import before

EXACT = {"precision": "float32", "calibrate": "none"}
ROWS = some.dictionaries(some.text(min_size=1, max_size=5), some.integers(0, 3), min_size=1, max_size=60)


@given(ROWS, some.integers(1, 30), some.randoms())
def test_rows_are_drawn_by_their_ids_alone_and_in_balance(rows, most, random):
    ids = list(rows)
    first = [ids[row] for row in before.drawn(ids, list(rows.values()), most)]
    random.shuffle(ids)
    assert [ids[row] for row in before.drawn(ids, [rows[name] for name in ids], most)] == first
    assert len(first) == len(set(first)) == min(most, len(rows))
    have, taken = Counter(rows.values()), Counter(rows[name] for name in first)
    for label, count in have.items():
        assert taken[label] >= min(count, most // len(have)), "no label gives way to another while it has rows"


@given(ROWS)
def test_more_rows_are_the_same_rows_and_further_ones(rows):
    ids, labels = list(rows), list(rows.values())
    assert before.drawn(ids, labels, 9) == before.drawn(ids, labels, 30)[:9]


def test_the_ids_are_those_of_the_split(tokens, parts):
    dataset = corpus.read_dataset(parts)
    assert read_ids(tokens / "validation.arrow") == dataset.tables["validation"]["id"].to_list()


def test_it_is_what_a_training_without_effect_ends_with(tokens, parts, tmp_path):
    """A learning rate of almost nothing leaves the first weights, which can then be asked as any model."""
    model, _ = train(tmp_path, tokens, learning_rate=1e-30, weight_decay=0, epochs=1, **EXACT)
    kept = before.read(model)
    table = corpus.read_dataset(parts).tables["validation"]
    assert set(kept) == set(table["id"]), "there are fewer than 100, so all are drawn"
    found = Classifier.load(model).probabilities(table["text"].to_list())
    assert np.allclose(found, [kept[name] for name in table["id"]], atol=2e-6)


@pytest.mark.parametrize("more", [{}, {"tune": "head"}, {"tune": {"kind": "lora", "rank": 2, "dropout": 0.1}}], ids=str)
def test_asking_changes_neither_weights_nor_chance(tokens, tmp_path, monkeypatch, more):
    asked, points = train(tmp_path / "asked", tokens, epochs=2, **more)
    monkeypatch.setattr(before, "ask", lambda *_: {})
    silent, same = train(tmp_path / "silent", tokens, epochs=2, **more)
    assert points == same
    first, second = digest(asked), digest(silent)
    assert first.pop(before.FILE) != second.pop(before.FILE)
    assert first == second


def test_a_killed_training_ends_with_what_was_said_before_its_first_step(tokens, tmp_path, monkeypatch):
    more = {"epochs": 2, "patience": 9}
    whole, _ = train(tmp_path / "whole", tokens, **more)
    broken, _ = train_with_a_kill(tmp_path / "broken", tokens, monkeypatch, 20, **more)
    assert before.read(broken) == before.read(whole) != {}
    assert digest(whole) == digest(broken)


def test_a_checkpoint_says_what_its_backbone_and_a_fresh_head_say(own_checkpoint, parts, tmp_path):  # noqa: F811
    from wenhuo.encoding.options import Tokens
    from wenhuo.models import backbones, transformer
    from wenhuo.training import loop

    dataset = corpus.read_dataset(parts)
    corpus.encode_tokens(Tokens(kind="tokens", tokenizer=str(own_checkpoint)), dataset, tmp_path / "encoded")
    chosen = {"backbone": "checkpoint", "epochs": 1, **EXACT}
    model, _ = train(tmp_path / "run", tmp_path / "encoded", **chosen)
    loop.seed_everything(13)
    backbone = backbones.pretrained_backbone(str(own_checkpoint), None)
    network = transformer.Network(backbone, options(**chosen).head, 3, 0.1)
    trained = Classifier.load(model)
    assert not torch.equal(load_file(model / "head.safetensors")["out.weight"], network.head.out.weight)
    transformer.save(network, model)
    texts, ids = dataset.texts("validation"), dataset.tables["validation"]["id"]
    first = Classifier.load(model).probabilities(texts)
    assert np.allclose(first, [before.read(model)[name] for name in ids], atol=2e-6)
    assert not np.allclose(first, trained.probabilities(texts), atol=1e-2)


def test_a_model_that_never_kept_it_says_nothing(linear_model):
    assert before.read(linear_model) == {}
