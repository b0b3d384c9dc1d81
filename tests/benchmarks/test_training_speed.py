"""The benchmark of fine-tuning: which batches stand for an epoch, what the figures become, and a run of toy size."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import training_data, training_results, training_speed
from benchmarks.training_data import Corpus
from benchmarks.training_orders import Order
from wenhuo.files import read_json

TOY = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
SIZE = training_speed.Size(pairs=1, recipe_steps=3, our_steps=5, epochs=1, head_rows=64)


@pytest.fixture(scope="module")
def corpus():
    return Corpus("reviews", "made texts", training_data.made((320, 40, 40), 2, 30, 0.7))


def test_made_texts_have_the_lengths_of_the_real_ones():
    texts = [len(text) for text, _ in training_data.made((4000, 1, 1), 2, 76, 0.71)["train"]]
    assert np.quantile(texts, [0.5, 0.9]) == pytest.approx([76, 189], rel=0.1)


def test_copies_and_leaks_are_left_out():
    rows = {"train": [("一", "a"), ("一 ", "a"), ("二", "b"), ("三", "b")], "validation": [("二", "b")], "test": []}
    found = training_data.leak_free(Corpus("x", "y", rows), {"train": 9, "validation": 9, "test": 9})
    assert sorted(text for text, _ in found.parts["train"]) == ["一", "三"]


def test_the_measured_batches_stand_for_all_and_hold_the_largest(corpus, tmp_path):
    order = training_speed.prepare(corpus, "base", tmp_path / "work", **TOY)
    lengths = training_speed.lengths(order)
    assert lengths.max() == 128, "longer texts are cut"
    chosen = training_speed.evenly(order, 10)
    assert len(chosen) == training_speed.WARM + 10
    sizes = [lengths[rows].max() for rows in chosen]
    assert sizes[0] > np.median(lengths)
    assert max(sizes[training_speed.WARM :]) == lengths.max()
    measured = np.concatenate(chosen[training_speed.WARM :])
    assert lengths[measured].mean() == pytest.approx(lengths.mean(), rel=0.1)


def test_operations_are_those_of_bert_base(tmp_path):
    config = '{"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072}'
    (tmp_path / "config.json").write_text(config)
    found = training_results.operations(Order("", "", str(tmp_path), []))
    assert found == pytest.approx(128 * 6 * 85e6, rel=0.05)


STEPS = {
    "origin": "made texts",
    "rows": 320,
    "ratios": [2.0, 3.0],
    "cpu_ratios": [2.0, 2.2],
    "recipe": {"samples_per_second": [2.0, 2.0], "peak_gib": [3.1, 3.2], "first_step_seconds": [20.0, 21.0]},
    "ours": {"samples_per_second": [4.0, 6.0], "peak_gib": [2.9, 2.8], "first_step_seconds": [9.0, 9.0]},
}


def test_new_figures_take_the_place_of_old_ones_and_the_rest_of_the_page_stays(tmp_path):
    begin, end = training_results.BEGIN, training_results.END
    (tmp_path / "README.md").write_text(f"before\n\n{begin}\nold\n{end}\n\nafter\n")
    training_results.keep({"steps base titles": STEPS, "steps base reviews": STEPS}, tmp_path)
    training_results.keep({"steps base reviews": STEPS | {"ratios": [7.0, 8.0]}}, tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert page.startswith("before\n\n<!--")
    assert page.endswith("-->\n\nafter\n")
    assert "old" not in page
    assert "| base titles | 2 (2–2) | 5 (4–6) | **2.5 (2–3)** | 2.1 (2–2.2) | 3.20 | 2.90 |" in page
    assert "**7.5 (7–8)**" in page
    measured = read_json(tmp_path / "results" / "training_speed.json")["measured"]
    assert measured["steps base titles"]["about"]["cpus"]


@pytest.mark.slow
def test_both_sides_train_side_by_side(corpus, tmp_path):
    found = training_speed.steps(corpus, "base", SIZE, tmp_path / "steps", **TOY)
    assert len(found["ratios"]) == 1
    assert found["ratios"][0] > 0
    assert found["ours"]["peak_gib"][0] > 0.1
    head = training_speed.head(corpus, "base", SIZE, tmp_path / "head", **TOY)
    assert head["first"] > head["later"] > 0
    full = replace(corpus, parts=corpus.parts | {"train": [("长" * 200, "class 0"), ("短" * 200, "class 1")] * 80})
    rate = training_speed.rate(full, "base", SIZE, tmp_path / "rate", **TOY)
    assert 0 < rate["share"] < 1


@pytest.mark.slow
def test_whole_fine_tunings_end_with_an_accuracy(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(training_data, "MINI", training_data.MINI | {"hidden": 32, "heads": 2})
    found = training_speed.whole(corpus, SIZE, tmp_path / "whole")
    assert all(0 <= found[side]["accuracy"] <= 1 for side in ("recipe", "ours"))
    assert found["rows"] <= 320
