"""The comparison of objectives: what is compared, an equal budget, a run of toy size that goes on where it stopped."""

import pytest

from benchmarks import backbone_runs, objectives, training_data
from benchmarks.training_data import Corpus
from tests.wenhuo.pretraining.conftest import TINY, make_lines
from wenhuo.files import read_json


def test_two_of_each_and_one_change_at_a_time():
    found = objectives.combinations(every=True)
    assert len(found) == 32
    first, *changed = objectives.combinations()
    assert first == "masked 4x256 words 15% joined"
    assert all(len(set(name.split()) - set(first.split())) == 1 for name in changed)
    assert {first, *changed} < set(found)
    assert len(changed) == 5
    for name, chosen in found.items():
        options = objectives.options_of(chosen, "lines.txt", steps=1)
        assert name.startswith(options.objective)
        assert options.whole_words == (" words " in name)
        assert f" {options.mask:.0%} " in name
        assert name.endswith(" joined" if options.join else " single")


def test_the_best_is_validations_choice():
    entries = {"a": {"50": {"pretrained": {"validation": 0.8}}, "all": {"pretrained": {"validation": 0.9}}}}
    assert objectives.score(entries) == pytest.approx(0.85)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_comparison_of_toy_size(tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("\n".join(make_lines(300)), encoding="utf-8")
    shape = {name: TINY[name] for name in ("layers", "hidden", "heads")}
    monkeypatch.setattr(objectives, "DEPTHS", {"1x16": shape})
    small = {name: TINY[name] for name in ("vocabulary", "positions", "batch_tokens", "held_out_tokens")}
    monkeypatch.setattr(objectives, "COMMON", objectives.COMMON | small)
    monkeypatch.setattr(objectives, "ROWS", {"joined": {"join": True, "max_tokens": TINY["max_tokens"]}})
    monkeypatch.setattr(objectives, "SIZES", (None,))
    monkeypatch.setattr(backbone_runs, "course", lambda rows: {"epochs": 1, "batch_size": 16})
    monkeypatch.setattr(objectives, "RATES", {"pretrained": (0.01,)})
    corpus = Corpus("toy", "made texts", training_data.made((80, 40, 40), 2, 20, 0.5))
    monkeypatch.setattr(objectives, "tasks", lambda folder: {"chnsenticorp": [corpus]})
    given = {"corpus": [str(tmp_path / "text.txt")], "data": tmp_path, "work": tmp_path / "work", "results": tmp_path}
    objectives.main(seconds=0.3, only="words 15%", seeds=1, **given)
    found = read_json(tmp_path / "objectives-0.3.json")["combinations"]
    assert list(found) == ["masked 1x16 words 15% joined", "replaced 1x16 words 15% joined"]
    for told in found.values():
        about = told["pretraining"]
        assert about["tokens"] >= about["tokens_a_second"] * 0.3 - 1
        assert 0 <= told["score"] <= 1
    runs = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.json")}
    objectives.main(seconds=0.3, only="words 15%", seeds=1, **given)
    assert read_json(tmp_path / "objectives-0.3.json")["combinations"] == found
    assert {p: t for p, t in runs.items() if "runs" in p.parts} == {
        p: p.stat().st_mtime_ns for p in (tmp_path / "work").rglob("*.json") if "runs" in p.parts
    }
