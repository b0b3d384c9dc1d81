"""The whole graph, on real files and in real processes: the same results by every way, cached, killed, broken."""

import os
import signal
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.graph.conftest import change_parameters, python, repro, start
from wenhuo import lineage
from wenhuo.files import read_json
from wenhuo.graph import locked_key, stages
from wenhuo.models.folder import read_card
from wenhuo.tracking import runs, store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_graph_runs_and_finds_what_was_planted(made):
    project, said = made
    metrics = read_json(project / "reports/metrics.json")
    assert metrics["rows"] == {"train": 300, "validation": 90, "test": 90}
    assert list(metrics["candidates"]) == ["linear", "mini", "both"]
    for splits in metrics["candidates"].values():
        assert {"accuracy", "macro_f1"} <= splits["validation"].keys()
        assert {"accuracy", "macro_f1"} <= splits["test"].keys()
        assert "test_leak_free" in splits
    assert metrics["candidates"]["linear"]["test"]["accuracy"] > 0.9
    assert 0 < metrics["parameters"]["mini"]["trained"] == metrics["parameters"]["mini"]["all"]
    blend = read_card(project / "models/both")
    assert list(blend.members) == ["linear", "mini"]
    assert metrics["calibration"]["both"]["weights"] == blend.members
    losses = {name: one["validation"]["log_loss"] for name, one in metrics["candidates"].items()}
    assert losses["both"] < losses["mini"]
    assert ("blend: that is no better than" in said) == (losses["both"] >= losses["linear"])
    page = (project / "reports/candidates.html").read_text(encoding="utf-8")
    assert "Before and after" in page
    assert f"{metrics['winner']} wins on validation" in page
    assert "not kept" not in page
    assert "→ reports/candidates.html" in said
    removed = pl.read_parquet(project / "reports/removed.parquet")
    assert dict(removed["reason"].value_counts().iter_rows()) == {"stands in test": 20, "repeats an earlier row": 10}
    assert len(pl.read_parquet(project / "reports/rejected.parquet")) == 2
    assert "GB18030" in said
    assert read_json(project / "reports/winner.json")["winner"] == metrics["winner"]


def made_by(project: Path, winner: dict) -> str:
    return lineage.candidate_stage(winner["winner"], read_card(project / winner["model"]).kind)


def test_the_blend_waits_for_its_members_and_is_made_again_when_one_changes(made):
    project, _ = made
    by_name = {stage.addressing: stage for stage in stages(project)}
    assert {"train@linear", "train@mini"} < set(by_name["blend@both"].upstream)
    client = store.connect(project)
    run = runs.find_run(client, locked_key(project, "blend@both"))
    assert run.data.params["of"] == "['linear', 'mini']"
    assert float(run.data.params["weights.mini"]) == read_card(project / "models/both").members["mini"]
    assert {
        "validation/loss",
        "members/linear/loss",
        "members/mini/macro_f1",
        "test/macro_f1",
    } <= run.data.metrics.keys()
    lock = (project / "dvc.lock").read_bytes()
    try:
        change_parameters(project, epochs=2)
        said = repro(project, "--dry", "blend@both")
        assert "Running stage 'train@mini'" in said and "Stage 'train@linear' didn't change" in said
    finally:
        change_parameters(project, epochs=3)
    assert (project / "dvc.lock").read_bytes() == lock


def test_a_second_time_only_looks_at_the_source(made):
    project, _ = made
    before = (project / "dvc.lock").read_bytes()
    said = repro(project)
    assert said.count("Running stage") == 1
    assert "Running stage 'source'" in said
    assert (project / "dvc.lock").read_bytes() == before


def test_a_flow_leaves_the_same_lock(made, make_project):
    project = make_project("by-flow")
    python(project, "-m", "flows.retrain", "--jobs", "2")
    assert (project / "dvc.lock").read_bytes() == (made[0] / "dvc.lock").read_bytes()
    said = python(project, "-m", "wenhuo", "summary")
    assert "winner" in said
    assert "synthetic" not in said
    assert "20 stands in test" in said
    assert "trains" in said
    assert "reports/candidates.html" in said


def test_a_changed_source_is_read_again_and_only_what_follows_from_it(make_project, made):
    project, _ = made
    file = project.parent / "评论 reviews" / "train.tsv"
    before, lock = file.read_bytes(), (project / "dvc.lock").read_bytes()
    try:
        file.write_bytes(before + "没有标签的一行\t\n".encode())  # one more row that cannot be read: the corpus stays
        said = repro(project)
        assert "Running stage 'ingest'" in said
        assert "Stage 'train@mini' didn't change" in said
    finally:
        file.write_bytes(before)
    repro(project)
    assert (project / "dvc.lock").read_bytes() == lock


def test_a_killed_training_goes_on_to_the_same_bytes_in_one_run(make_project):
    slow = {"epochs": 30, "patience": 30, "checkpoint_seconds": 0, "learning_rate": 0.0005}
    whole = make_project("whole", **slow)
    repro(whole, "train@mini")
    broken = make_project("broken", **slow)
    process = start(broken, sys.executable, "-m", "dvc", "repro", "train@mini")
    deadline = time.monotonic() + 300
    while not list(broken.glob("data/checkpoints/*/step-*")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (broken / "models/mini").exists()

    assert "going on from the checkpoint" in repro(broken, "train@mini")
    assert (broken / "dvc.lock").read_bytes() == (whole / "dvc.lock").read_bytes()
    assert not list(broken.glob("data/checkpoints/*"))

    client = store.connect(broken)
    found = client.search_runs([store.experiment_id(client)])
    assert [run.info.status for run in found] == ["FINISHED"]
    steps = [metric.step for metric in client.get_metric_history(found[0].info.run_id, "validation/macro_f1")]
    assert steps == sorted(set(steps))
    assert len(steps) == 30


def test_mlflow_shows_runs_by_key_and_the_champion(made):
    project, _ = made
    client = store.connect(project)
    winner = read_json(project / "reports/winner.json")
    version = client.get_model_version_by_alias(winner["registered_model"], "champion")
    assert version.tags["wenhuo.stage_key"] == locked_key(project, made_by(project, winner))
    assert version.tags["wenhuo.git_dirty"] == "false"
    assert {"wenhuo.dvc_lock_sha256", "wenhuo.data_test_sha256", "wenhuo.rows_train"} <= version.tags.keys()
    assert {"wenhuo.validation", "mlflow.source.git.commit", "wenhuo.environment_sha256"} <= version.tags.keys()
    run = runs.find_run(client, version.tags["wenhuo.stage_key"])
    metrics = read_json(project / "reports/metrics.json")["candidates"][winner["winner"]]
    assert run.data.metrics["test/macro_f1"] == metrics["test"]["macro_f1"]
    mini = runs.find_run(client, locked_key(project, "train@mini"))
    assert len(client.get_metric_history(mini.info.run_id, "train/loss")) > 3
    assert any(found.path.endswith(".png") for found in client.list_artifacts(mini.info.run_id, "plots"))
    assert [found.path for found in client.list_artifacts(mini.info.run_id, "pages")] == ["pages/candidates.html"]


def test_the_champion_answers(made):
    project, _ = made
    said = python(project, "-m", "wenhuo", "predict", "--format", "jsonl", "前台很满意，推荐")
    assert '"label":"好"' in said
    texts = project / "texts.jsonl"
    texts.write_text('{"text": "失望，太贵"}\n一般，凑合\n', encoding="utf-8")
    said = python(
        project, "-m", "wenhuo", "predict", "-f", "texts.jsonl", "--model", "models/linear", "--format", "jsonl"
    )
    assert '"label":"差"' in said.splitlines()[0]
    assert '"label":"中"' in said.splitlines()[1]
    texts.unlink()
    said = python(project, "-m", "wenhuo", "predict", "x", "--model", "models:/nobody@champion", expect=1)
    assert said.startswith("error: ")


def test_a_tie_keeps_the_champion_and_nothing_is_registered_twice(made):
    project, _ = made
    client = store.connect(project)
    name = read_json(project / "reports/winner.json")["registered_model"]
    repro(project, "--force", "--single-item", "register")
    assert len(client.search_model_versions(f"name = '{name}'")) == 1
    assert "champion already" in read_json(project / "reports/registration.json")["reason"]


def test_a_label_that_only_test_has_stops_the_graph(make_project):
    project = make_project("unknown-label")
    source = project.parent / "odd"
    source.mkdir()
    for file in (project.parent / "评论 reviews").iterdir():
        (source / file.name).write_bytes(file.read_bytes())
    with (source / "test.tsv").open("a", encoding="utf-8") as file:
        file.write("没人教过\t未知\n")
    parameters = project / "params.yaml"
    parameters.write_text(parameters.read_text(encoding="utf-8").replace("../评论 reviews", "../odd"), encoding="utf-8")
    said = repro(project, expect=255)
    assert "labels_known_in_train (1 row, the first is test.tsv row 92)" in said
    assert "Running stage 'clean'" not in said
    assert Path(project, "reports/validation.html").exists()
