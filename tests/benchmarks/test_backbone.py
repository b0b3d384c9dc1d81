"""The benchmark of backbones: few rows are a fair draw, what is done is not done again, a run of toy size."""

import json
from collections import Counter

import pytest
from transformers import AutoTokenizer

from benchmarks import backbone, backbone_checks, backbone_runs, training_data
from benchmarks.backbone_data import by_turns, cleaned, few, few_shot
from benchmarks.backbone_runs import Suite, linear, measure, summary
from benchmarks.training_data import Corpus
from tests.wenhuo.pretraining.conftest import make_lines, run
from wenhuo.files import read_json


@pytest.fixture(scope="module")
def corpus():
    return Corpus("toy", "made texts", training_data.made((200, 40, 40), 2, 20, 0.5))


@pytest.fixture(scope="module")
def checkpoint(parts, tmp_path_factory):
    return run(tmp_path_factory.mktemp("toy"), parts, steps=2)[0]


def test_few_rows_are_of_all_classes_and_other_seeds_draw_others(corpus):
    drawn = few(corpus, 50, 1)
    assert Counter(label for _, label in drawn.parts["train"]) == {"class 0": 25, "class 1": 25}
    assert len(drawn.parts["validation"]) == 40
    assert drawn.parts["test"] == corpus.parts["test"]
    assert few(corpus, 50, 1) == drawn
    assert few(corpus, 50, 2) != drawn
    assert few(corpus, None, 1) is corpus
    assert len(by_turns([("a", "x")] * 9 + [("b", "y")], 4, 1)) == 4


def test_few_shot_files_are_read(tmp_path):
    line = json.dumps({"id": 1, "sentence": "很好　很好<br>", "label": "Positive"}, ensure_ascii=False)
    for name in ("train_0", "dev_0", "test_public"):
        (tmp_path / f"{name}.json").write_text(f"{line}\n", encoding="utf-8")
    assert cleaned(few_shot(tmp_path, 0)).parts["test"] == [("很好 很好", "Positive")]


def test_the_linear_model_is_chosen_on_validation(corpus):
    found = linear(corpus)
    assert found["test"] > 0.8
    assert set(found["chosen"]) == {"min_rows", "c"}


def test_a_summary_of_runs():
    found = summary([{"test": 0.8, "validation": 0.7}, {"test": 0.9, "validation": 0.9}])
    assert found["mean"] == pytest.approx(0.85)
    assert found["spread"] == pytest.approx(0.0707, abs=1e-4)
    assert (found["least"], found["greatest"], found["validation"]) == (0.8, 0.9, 0.8)


def test_sentences_are_compared_and_gaps_need_a_language_model(checkpoint, tmp_path):
    checks = backbone_checks.spot_checks(checkpoint)
    assert len(checks["gaps"]) == len(backbone_checks.GAPS)
    assert len(checks["gaps"][0]["guesses"]) == 5
    assert checks["alike"]["of"] == 2 * len(backbone_checks.ALIKE)
    made = tmp_path / "other"
    made.mkdir()
    for path in checkpoint.iterdir():
        (made / path.name).write_bytes(path.read_bytes())
    config = read_json(made / "config.json") | {"architectures": ["BertModel"]}
    (made / "config.json").write_text(json.dumps(config))
    assert "is no masked language model" in backbone_checks.spot_checks(made)["gaps"]
    assert "is no masked language model" in backbone_checks.guessed(made, made, ["好"])


def test_what_is_guessed_by_place_counts_every_hidden_token_once(checkpoint, monkeypatch):
    monkeypatch.setattr(backbone_checks, "PLACES", (0, 8, 16, 24, 48))
    lines = make_lines(400)
    texts = ["".join(lines[i : i + 4]) for i in range(0, 400, 4)]
    found = backbone_checks.guessed(checkpoint, checkpoint, [*texts, "短"])
    assert [(one["from"], one["to"]) for one in found] == [(0, 8), (8, 16), (16, 24), (24, 48)]
    assert all(0 <= one["guessed"] <= 1 for one in found)
    assert found == backbone_checks.guessed(checkpoint, checkpoint, texts)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    ids = [i for row in tokenizer(texts, truncation=True, max_length=48)["input_ids"] if len(row) > 24 for i in row]
    known = sum(i not in tokenizer.all_special_ids for i in ids)
    assert sum(one["hidden"] for one in found) == pytest.approx(0.15 * known, rel=0.2)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_everything_is_measured_once(corpus, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(backbone_runs, "course", lambda rows: {"epochs": 1, "batch_size": 16})
    monkeypatch.setattr(backbone_runs, "RATES", {"pretrained": (0.01, 0.001), "from nothing": (0.01,)})
    suite = Suite(checkpoint, {"chnsenticorp": [corpus], "eprstmt": [corpus, corpus]}, 2, tmp_path, 2, (50, None))
    found = measure(suite)
    assert set(found["chnsenticorp"]) == {"50", "all"}
    assert len(found["chnsenticorp"]["50"]["pretrained"]["runs"]) == 2
    assert len(found["eprstmt"]["all"]["pretrained"]["runs"]) == 4
    assert len(found["eprstmt"]["all"]["linear SVM"]["runs"]) == 1
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert measure(suite) == found
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()} == written
    clock = backbone_runs.seconds(suite, threads=1)
    assert clock["seconds"] > 0
    rows = backbone.card_rows(found, clock)
    assert rows[0][0] == "ChnSentiCorp without leaks, 50 train rows, test accuracy"
    backbone.draw(found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000
