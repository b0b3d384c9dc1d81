"""The commands, in real processes."""

import pytest
from ruamel.yaml import YAML

from tests.wenhuo.search.conftest import wenhuo
from tests.wenhuo.search.test_insertion import lines_added
from wenhuo.search.project import make_plan
from wenhuo.tracking import store

pytestmark = pytest.mark.slow


def test_two_workers_search_and_the_best_is_added(project):
    said = wenhuo(project, "search", "run", "linear", "--trials", "5", "--workers", "2")
    assert sum(line.startswith("trial ") for line in said.splitlines()) == 5 + 1  # and the header of the table
    assert "next: wenhuo search add linear" in said
    assert "search linear: 5 complete of 12 trials" in wenhuo(project, "search", "show", "linear")
    assert (project / "reports/search/linear.png").exists()

    client = store.connect(project)
    runs = client.search_runs([store.experiment_id(client)])
    (parent,) = [run for run in runs if run.info.run_name == "search linear"]
    assert parent.data.params["search.space.c.high"] == "10.0"
    assert parent.data.metrics["trials"] == 5
    assert {run.data.tags.get("mlflow.parentRunId") for run in runs} == {None, parent.info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}

    before = (project / "params.yaml").read_text(encoding="utf-8")
    other = next(trial for trial in range(1, 6) if longest(runs, trial) != "2")
    wenhuo(project, "search", "add", "linear", "--trial", str(other), "--as", "linear-wide")
    after = (project / "params.yaml").read_text(encoding="utf-8")
    added = lines_added(before, after)
    values = YAML(typ="safe").load(after)
    assert values["train"]["candidates"]["linear-wide"]["encoder"] == "linear-wide"
    assert values["encode"]["encoders"]["linear-wide"]["longest"] == int(longest(runs, other))
    assert len(added) == 4 + 5
    assert "there is no search 'x' in search.yaml" in wenhuo(project, "search", "add", "x", expect=1)


def longest(runs, trial):
    (run,) = [run for run in runs if run.info.run_name == f"linear trial {trial}"]
    return run.data.params["encoder.longest"]


def test_a_mistake_that_shows_only_in_training_is_said_by_the_command(project):
    file = project / "search.yaml"
    text = file.read_text(encoding="utf-8").replace("head: [mean,", "tune: [{kind: last, layers: 7}]\n    head: [mean,")
    file.write_text(text, encoding="utf-8")
    said = wenhuo(project, "search", "run", "mini", expect=1)
    assert "error: trial 1 (" in said
    assert "tune: the last 7 layers of 1" in said
    assert not list((project / make_plan(project, "mini").folder).glob("trial-*"))
