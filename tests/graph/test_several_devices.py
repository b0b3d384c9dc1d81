"""A candidate trained by two processes in the graph: by `train.devices`, and by torchrun as the launcher."""

import shutil

import pytest
from ruamel.yaml import YAML

from tests.graph.conftest import python, repro
from wenhuo.training import history

pytestmark = pytest.mark.slow


def test_two_processes_train_when_the_stage_runs_and_never_make_it_run(made):
    project = made[0].parent / "several"
    shutil.copytree(made[0], project, symlinks=True)
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    found = {}
    for launcher in ("auto", "torchrun"):
        values["train"] |= {"devices": 2, "launcher": launcher}
        yaml.dump(values, project / "params.yaml")
        assert "up to date" in python(project, "-m", "dvc", "status", "train@mini", "train@linear")
        said = repro(project, "--force", "--single-item", "train@mini")
        assert "train: 2 processes, ddp" in said
        assert said.count("epoch 3 of 3: validation") == 1
        assert not list(project.glob("data/checkpoints/*"))
        found[launcher] = (project / "models/mini/head.safetensors").read_bytes()
    assert found["auto"] == found["torchrun"]
    one, two = (history.read(folder / "reports/history/mini.csv") for folder in (made[0], project))
    assert [(point.step, point.metric) for point in one] == [(point.step, point.metric) for point in two]
