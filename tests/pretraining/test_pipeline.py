"""The pipeline that makes a backbone: its files agree, and a killed one ends in the bytes of an undisturbed one."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from transformers import AutoModel

from pretraining import STAGES
from pretraining.command import read_parameters, stage_module
from tasks.command import stage_arguments
from tests.wenhuo.pretraining.conftest import make_lines
from tests.wenhuo.training.conftest import digest
from wenhuo.errors import SettingsError
from wenhuo.files import read_json, sha256
from wenhuo.tracking import store

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "pretraining"
GRAPH = YAML(typ="safe").load((FOLDER / "dvc.yaml").read_text(encoding="utf-8"))["stages"]

NETWORK = {"layers": 2, "hidden": 64, "heads": 2, "vocabulary": 400, "positions": 64, "max_tokens": 64}
COURSE = {"tokens": 400_000, "batch_tokens": 1024, "held_out_tokens": 5000, "measurements": 4, "log_steps": 20}


def test_stages_modules_commands_and_sections_agree():
    assert tuple(GRAPH) == STAGES
    for stage in STAGES:
        command = GRAPH[stage]["cmd"]
        assert f" -m pretraining {stage} " in command
        assert sorted(re.findall(r"--(\w+)", command)) == sorted(stage_arguments(stage_module(stage).run))
    assert list(read_parameters(FOLDER / "params.yaml")) == ["texts", "pretrain", "pack"]


def test_every_parameter_says_what_it_does():
    for section in read_parameters(FOLDER / "params.yaml").values():
        assert all(field.description for field in type(section).model_fields.values())


def test_what_preparing_reads_makes_it_run_again():
    code = "".join((ROOT / f"wenhuo/pretraining/{name}.py").read_text() for name in ("preparing", "tokens", "texts"))
    given_by_the_pipeline = {"text", "own_text", "closest"}
    read = set(re.findall(r"\boptions\.([a-z_]+)", code)) - given_by_the_pipeline
    assert {f"pretrain.network.{name}" for name in read} == set(GRAPH["prepare"]["params"])


def test_the_graph_of_the_project_knows_nothing_of_it():
    assert "/pretraining" in (ROOT / ".dvcignore").read_text(encoding="utf-8").splitlines()


def test_text_is_given_once(tmp_path):
    values = YAML(typ="safe").load((FOLDER / "params.yaml").read_text(encoding="utf-8"))
    values["pretrain"]["network"]["text"] = ["x.txt"]
    YAML().dump(values, tmp_path / "params.yaml")
    with pytest.raises(SettingsError, match="the text is that of the section texts"):
        read_parameters(tmp_path / "params.yaml")


def make_project(folder: Path, megabytes: float = 1.0) -> Path:
    """The pipeline in a project of its own, with made text, of which some stands in an evaluation set."""
    shutil.copytree(
        FOLDER, folder / "pretraining", ignore=shutil.ignore_patterns("data", "reports", "text", "cache", "tmp")
    )
    for name in ("wenhuo", "tasks"):
        (folder / name).symlink_to(ROOT / name)
    made = folder / "pretraining"
    (made / "text").mkdir()
    lines = make_lines(max(50, round(megabytes * 10_000)), seed=5)
    (made / "text" / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (made / "measured.tsv").write_text("".join(f"1\t{line}\n" for line in lines[:5]), encoding="utf-8")
    yaml = YAML()
    values = yaml.load(made / "params.yaml")
    values["texts"] |= {"files": ["text/*.txt"], "evaluation": ["measured.tsv"], "like": ["text/a.txt"], "closest": 0.9}
    values["pretrain"]["course"] = [0.25, 0.75]
    values["pretrain"]["network"] |= NETWORK | COURSE | {"checkpoint_seconds": 0}
    yaml.dump(values, made / "params.yaml")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return made


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    away = {"MLFLOW_TRACKING_URI", "PYTHONPATH"}
    kept = {key: value for key, value in os.environ.items() if key not in away}
    return kept | {"PATH": path, "OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "1"}


def repro(made: Path) -> subprocess.Popen:
    with (made / "log.txt").open("a") as log:
        return subprocess.Popen(
            ["dvc", "repro"], cwd=made, env=environment(), start_new_session=True, stdout=log, stderr=log
        )


def kill(made: Path, pattern: str) -> None:
    """Run until there is a new file of the pattern, then end every process at once."""
    before, running, deadline = set(made.glob(pattern)), repro(made), time.monotonic() + 600
    while not set(made.glob(pattern)) - before and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.poll() is None, (made / "log.txt").read_text(encoding="utf-8")
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_and_resumed_gives_the_weights_of_an_undisturbed_one(tmp_path):
    whole, broken = make_project(tmp_path / "whole"), make_project(tmp_path / "broken")
    assert repro(whole).wait(900) == 0, (whole / "log.txt").read_text(encoding="utf-8")
    for pattern in ("data/.lines.txt*", "data/.prepared*", "data/checkpoints/*/step-*", "data/checkpoints/*/step-*"):
        kill(broken, pattern)
    assert not (broken / "data" / "packed").exists()
    assert repro(broken).wait(900) == 0, (broken / "log.txt").read_text(encoding="utf-8")
    for name in ("backbone", "course", "packed"):
        assert digest(whole / "data" / name) == digest(broken / "data" / name)
    places = [*sorted((whole / "data" / "course").iterdir()), whole / "data" / "backbone"]
    records = [read_json(place / "pretraining.json") for place in places]
    assert [record["tokens"] for record in records] == sorted({record["tokens"] for record in records})
    assert [sha256(place / "model.safetensors") for place in places] == [
        record["sha256"]["model.safetensors"] for record in records
    ]
    assert len(places) == 3
    curves = [made / "reports" / "pretrain.csv" for made in (whole, broken)]
    assert curves[0].read_bytes() == curves[1].read_bytes()
    told = read_json(whole / "reports" / "hold_out.json")["evaluation"][0]
    assert told["held_back"] >= told["texts"] == 5
    card = (whole / "data" / "packed" / "README.md").read_text(encoding="utf-8")
    assert sha256(whole / "data" / "packed" / "model.safetensors") in card
    assert AutoModel.from_pretrained(whole / "data" / "packed").config.hidden_size == 64
    assert_tracked_once(broken)


def assert_tracked_once(made: Path) -> None:
    """One run in the project's MLflow, however often it was killed."""
    client = store.connect(made.parent)
    [run] = client.search_runs([store.experiment_id(client)])
    assert run.info.status == "FINISHED"
    assert run.data.tags["wenhuo.backbone"] == "backbone"
    steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "held_out/loss")]
    assert steps == sorted(set(steps))
    assert len(steps) == COURSE["measurements"]
    again = repro(made)
    assert again.wait(300) == 0
    assert (
        "Running stage 'pretrain'"
        not in (made / "log.txt").read_text(encoding="utf-8").rpartition("Running stage 'texts'")[2]
    )
