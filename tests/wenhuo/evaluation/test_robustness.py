"""Models that hang on one mark or one character are planted; their fall under the right kind is found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.wenhuo.evaluation.conftest import make
from wenhuo.evaluation.answers import Answers, Part
from wenhuo.evaluation.robustness import PLAIN, perturb, robustness, sample
from wenhuo.evaluation.sections import robustness as section
from wenhuo.models.folder import Card
from wenhuo.perturbing.options import KINDS, Robustness

CARD = Card(kind="linear", labels=["差", "好"], cleaning={}, encoder={"kind": "ngrams"}, trained_on={})
BODY = "这家店里的房间与早餐，我们一家人都说过得去"


def rows_of(count: int) -> Part:
    """Good rows end with an exclamation mark and hold 净, bad ones with a full stop and hold 脏."""
    truth = np.arange(count) % 2
    texts = [f"{BODY}{'干净' if good else '太脏'}{'！' if good else '。'}" for good in truth]
    return Part([f"row-{n}" for n in range(count)], texts, truth, np.zeros(count, dtype=bool))


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    train = tmp_path_factory.mktemp("train") / "train.parquet"
    pl.DataFrame({"text": ["这这家加店点的得与雨我们门一依人仁都说硕过果去趣里离净静脏赃"] * 3}).write_parquet(train)
    return perturb(rows_of(400), train, Robustness(rows=200))


def asked(decide, test, trials):
    """What a model says that decides by a text alone."""
    said = {"test": test.texts} | {kind: part.texts for kind, part in trials.parts.items()}
    return Answers({k: np.eye(2)[[int(decide(t)) for t in texts]] for k, texts in said.items()}, 1.0, CARD)


def measured(decide, trials):
    test = rows_of(400)
    found = robustness({"m": asked(decide, test, trials)}, test, trials, 2, bootstrap=200, seed=1)
    assert list(found["candidates"]["m"]) == [PLAIN, *KINDS]
    return found["candidates"]["m"]


def test_one_that_decides_by_a_mark_falls_without_punctuation(trials):
    found = measured(lambda text: "！" in text, trials)
    assert found[PLAIN] == found[PLAIN] | {"accuracy": 1.0, "fall": 0.0, "changed_texts": 0.0, "changed_answers": 0.0}
    assert found["no_punctuation"]["fall"] == pytest.approx(0.5, abs=0.08)
    assert found["no_punctuation"]["fall_interval"][0] > 0.3
    assert found["no_punctuation"]["changed_texts"] == 1.0
    assert all(found[kind]["fall"] == 0 for kind in KINDS if kind != "no_punctuation")


def test_one_that_decides_by_a_character_falls_in_traditional_script_and_little_under_typos(trials):
    found = measured(lambda text: "净" in text, trials)
    assert found["traditional"]["fall"] == pytest.approx(0.5, abs=0.08)
    assert found["traditional"]["changed_answers"] == found["traditional"]["fall"]
    assert found["no_punctuation"]["fall"] == 0
    for kind in ("typos", "homophones"):  # one character in ten is changed, of half of the rows
        assert 0 < found[kind]["fall"] < 0.15, kind
        assert found[kind]["interval"][0] < found[kind]["accuracy"] < found[kind]["interval"][1]


def test_one_that_says_always_the_same_falls_under_nothing(trials):
    found = measured(lambda _: True, trials)
    assert {found[kind]["fall"] for kind in KINDS} == {0.0}
    assert found["typos"]["macro_f1"] == pytest.approx(1 / 3, abs=0.03)


def test_a_gain_is_a_negative_fall(trials):
    found = measured(lambda text: "！" not in text, trials)
    assert found["no_punctuation"]["fall"] == pytest.approx(-0.5, abs=0.08)


def test_only_what_changed_is_asked_again(trials):
    assert len(trials.parts["no_punctuation"].texts) == 200
    for kind, part in trials.parts.items():
        texts = rows_of(400).texts
        before = [texts[row] for row in trials.rows[trials.changed[kind]]]
        assert all(a != b for a, b in zip(before, part.texts, strict=True))


def test_the_sample_is_by_the_hash_of_the_ids_whatever_their_order():
    ids = [f"row-{n}" for n in range(50)]
    first = {ids[row] for row in sample(ids, 20)}
    assert {ids[::-1][row] for row in sample(ids[::-1], 20)} == first
    assert first <= {[*ids, "more"][row] for row in sample([*ids, "more"], 21)}
    assert len(sample(ids, 1000)) == 50


def test_nothing_is_looked_at_when_nothing_is_asked_for_or_there(tmp_path):
    for test, rows in ((rows_of(4), 0), (rows_of(0), 9)):
        trials = perturb(test, tmp_path / "absent.parquet", Robustness(rows=rows))
        assert (trials.parts, robustness({}, test, trials, 2, bootstrap=0, seed=1)) == ({}, None)


def test_texts_that_cannot_be_changed_stay_and_count(tmp_path):
    pl.DataFrame({"text": ["abc"]}).write_parquet(tmp_path / "train.parquet")
    test = Part(["a", "b"], ["12345", "67"], np.array([0, 1]), np.zeros(2, dtype=bool))
    trials = perturb(test, tmp_path / "train.parquet", Robustness())
    found = robustness({"m": asked(lambda t: t == "67", test, trials)}, test, trials, 2, bootstrap=0, seed=1)
    assert found["sample"] == "test, all rows"
    for figures in found["candidates"]["m"].values():
        assert figures == figures | {"accuracy": 1.0, "interval": None, "changed_texts": 0.0, "fall_interval": None}


def test_the_section_shows_every_fall_of_the_candidates_asked_for():
    material = make(["差评", "好评"], {"linear": 8, "mini": 12})
    figures = material.summary["robustness"]["candidates"]
    page = section(material.summary, ["mini"])
    assert "<bdi>mini</bdi>" in page
    assert "linear" not in page
    for kind in KINDS:
        one = figures["mini"][kind]
        assert f"{one['accuracy']:.1%}" in page
        assert f"{0 - 100 * one['fall']:+.1f}".replace("-", "−") in page
        assert f"{one['changed_texts']:.1%}" in page
    assert section({}, ["mini"]) == section(material.summary, ["other"]) == ""
