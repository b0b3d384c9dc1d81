"""Integrated gradients: complete on any network, on tokens of any kind, and on the word that decides."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import logit

from tests.conftest import BAD, GOOD
from tests.wenhuo.models.test_families import DECODERS, FAMILIES, write_tokenizer
from wenhuo.encoding import corpus, tokens
from wenhuo.encoding.options import Tokens
from wenhuo.explaining.gradients import TOLERANCE, decide, integrate, log_odds
from wenhuo.explaining.transformer import SPECIAL, OpenedTransformer, rows_of, spread_over
from wenhuo.models.backbones import scratch_backbone
from wenhuo.models.classifier import Classifier
from wenhuo.models.folder import read_card
from wenhuo.models.heads import Attention, Cnn, First, Last, Max, Mean, Mix
from wenhuo.models.transformer import Network
from wenhuo.training import candidate
from wenhuo.training.options import TransformerCandidate

HEADS = {"first": First, "mean": Mean, "max": Max, "mix": Mix, "cnn": Cnn, "attention": Attention}


def network(head, seed, backbone=None):
    """A random network with logits that differ."""
    torch.manual_seed(seed)
    if backbone is None:
        backbone = scratch_backbone(vocabulary=50, layers=1, hidden=16, heads=2, positions=32, dropout=0.1)
    made = Network(backbone, head, 3, dropout=0.0).eval()
    made.head.out.weight.data.mul_(10)
    return made


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 10**6),
    st.sampled_from(sorted(HEADS)),
    st.lists(st.integers(2, 12), min_size=1, max_size=3),
    st.sampled_from(["mean", "max"]),
    st.integers(0, 2),
)
def test_the_tokens_add_up_to_the_change_in_the_log_odds(seed, head, lengths, pool, label):
    generator = np.random.default_rng(seed)
    rows = [generator.integers(5, 50, size=length).tolist() for length in lengths]
    own = [[0 < place < length - 1 for place in range(length)] for length in lengths]
    decision = decide(network(HEADS[head](kind=head), seed), rows, own, pool, pad=0)
    added, points = integrate(decision, label)
    text, without = decision.ends(label)
    assert abs(float(added.sum()) - (text - without)) <= TOLERANCE * max(1.0, abs(text - without))
    assert points <= 512
    assert not added[~torch.tensor([row + [False] * (max(lengths) - len(row)) for row in own])].any()


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_can_be_explained(name, tmp_path):
    text = "房间很干净，hotel 服务 ok！"
    size = write_tokenizer(tmp_path, [text] * 3, name)
    FAMILIES[name](size).save_pretrained(tmp_path)
    options = Tokens(kind="tokens", tokenizer=str(tmp_path), max_tokens=64)
    tokenizer = tokens.from_checkpoint(options)
    head = Last(kind="last") if name in DECODERS else Mean(kind="mean")
    made = network(head, 3, FAMILIES[name](size))
    opened = OpenedTransformer(tokenizer, made, torch.device("cpu"))
    found = opened.attribute(text, None)
    assert found.complete, found.gap
    assert found.characters.any() and found.read.all()
    assert np.linalg.norm(opened.vectors([text, "干净"]), axis=1) == pytest.approx(1)
    assert isinstance(made.head.out, torch.nn.Linear)


def test_the_log_odds_are_those_of_the_probability():
    logits = torch.randn(4, 3, dtype=torch.float64)
    shares = logits.softmax(1)
    for label in range(3):
        assert log_odds(logits, label).numpy() == pytest.approx(logit(shares[:, label].numpy()))


def test_telling_words_are_the_strongest(mini_model):
    card = read_card(mini_model)
    opened = OpenedTransformer.load(mini_model, card)
    hits = 0
    for telling, label in ((GOOD, "positive"), (BAD, "negative")):
        for word in telling:
            text = f"这家酒店的{word}电脑屏幕"
            found = opened.attribute(text, card.labels.index(label))
            assert found.complete
            hits += int(found.characters.argmax()) in range(text.index(word), text.index(word) + 2)
    assert hits >= 10  # of 12: some characters stand in two telling words


def test_it_says_what_the_classifier_says(mini_model):
    texts = ["这家酒店很干净", "失望，退货", "一般" * 60]
    opened = OpenedTransformer.load(mini_model, read_card(mini_model))
    found = np.stack([opened.attribute(text, None).probabilities for text in texts])
    assert found == pytest.approx(Classifier.load(mini_model).probabilities(texts), abs=1e-5)


@pytest.mark.parametrize("keep", ["head", "tail", "head_tail", "windows"])
def test_rows_are_those_of_training_and_what_is_cut_counts_as_unread(keep):
    text = "房间很干净服务也好" * 4
    options = Tokens(kind="tokens", max_tokens=12, keep=keep, most_windows=2)
    tokenizer = tokens.from_corpus([text, text], options)
    rows = rows_of(tokenizer, text)
    assert rows.ids == tokenizer.encode([text])[0]
    spread, read = spread_over(text, rows, np.ones((len(rows.ids), 12)))
    inside = {token for row in rows.tokens for token in row if token != SPECIAL}
    assert read.tolist() == [place in inside for place in range(len(text))]
    assert spread.sum() == pytest.approx(10 * len(rows.ids))
    unread = {"head": slice(10, None), "tail": slice(0, -10), "head_tail": slice(5, -5), "windows": slice(15, None)}
    assert not read[unread[keep]].any() and read.sum() == {"windows": 15}.get(keep, 10)


def test_windows_are_explained_together():
    text = "房间很干净服务也好" * 4
    tokenizer = tokens.from_corpus([text, text], Tokens(kind="tokens", max_tokens=12, keep="windows", pool="max"))
    backbone = scratch_backbone(vocabulary=200, layers=1, hidden=16, heads=2, positions=32, dropout=0.0)
    opened = OpenedTransformer(tokenizer, network(Mean(kind="mean"), 2, backbone), torch.device("cpu"))
    found = opened.attribute(text, 1)
    assert found.complete and found.read.all()
    assert opened.vectors([text]).shape == (1, 16)


def test_the_parts_of_a_token_go_to_its_characters_in_equal_shares():
    tokenizer = tokens.from_corpus(["hotel 好", "hotel 好"], Tokens(kind="tokens", vocabulary=200))
    rows = rows_of(tokenizer, "hotel 好")
    spread, read = spread_over("hotel 好", rows, np.array([[9.0, 5.0, 2.0, 9.0]]))
    assert spread == pytest.approx([1, 1, 1, 1, 1, 0, 2])
    assert read.all()


def test_a_text_behind_an_adapter_and_one_of_no_known_token(parts, tmp_path):
    options = TransformerCandidate(
        kind="transformer", encoder="x", backbone="scratch", layers=1, hidden=16, heads=2, epochs=1, tune="lora"
    )
    encoder = Tokens(kind="tokens", vocabulary=300, max_tokens=40)
    corpus.encode_tokens(encoder, corpus.read_dataset(parts), tmp_path / "encoded")
    (tmp_path / "model").mkdir()
    candidate.train_transformer(
        options, 1, tmp_path / "encoded", tmp_path / "model", tmp_path / "state", lambda _: None
    )
    opened = OpenedTransformer.load(tmp_path / "model", read_card(tmp_path / "model"))
    found = opened.attribute("这家酒店的干净电脑屏幕", None)
    assert found.complete and found.characters.any()
    assert opened.attribute("\u0301", None).complete  # a mark that stands on nothing
