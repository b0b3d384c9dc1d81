"""A search on a real project: killed, interrupted, resumed, seen in MLflow, its best trained by `dvc repro`."""

import csv
import os
import signal
import sys
import time

import psutil
import pytest

from tests.graph.conftest import python, repro, start
from tests.wenhuo.search.test_insertion import lines_added
from wenhuo.tracking import store
from wenhuo.training import history

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TRIALS = 20
DECLARED = f"""\
mini:
  candidate: mini
  trials: {TRIALS}
  space:
    learning_rate: {{kind: float, low: 0.0003, high: 0.02, log: true}}
    head: [mean, max, {{kind: cnn, filters: 16}}]
    encoder.max_tokens: [12, 24, 256]
"""


@pytest.fixture(scope="module")
def project(make_project):
    made = make_project("searched", epochs=3, hidden=16)
    (made / "search.yaml").write_text(DECLARED, encoding="utf-8")
    repro(made, "encode")
    return made


def search_until(project, trial):
    """Start a search and wait until a worker begins a trial; the process, and its worker's."""
    process = start(project, sys.executable, "-m", "wenhuo", "search", "run", "mini")
    deadline = time.monotonic() + 200
    while not begun(project, trial):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (worker,) = psutil.Process(process.pid).children()
    return process, worker


def begun(project, trial):
    return any(f"trial {trial}:" in log.read_text() for log in project.glob("data/search/*/worker-1.log"))


def test_a_search_goes_on_after_anything_and_its_best_is_trained_to_the_same_score(project):
    process, worker = search_until(project, 3)
    worker.kill()  # another one takes its place, and its trial
    while not begun(project, 6):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "`wenhuo search run mini` goes on" in said

    process, worker = search_until(project, 9)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs([worker], timeout=60)
    assert not worker.is_running()

    said = python(project, "-m", "wenhuo", "search", "run", "mini", "--workers", "2")
    assert "next: wenhuo search add mini" in said
    with (project / "reports/search/mini.csv").open(encoding="utf-8", newline="") as file:
        trials = list(csv.DictReader(file))
    assert [int(trial["trial"]) for trial in trials] == list(range(1, TRIALS + 1))
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    assert not list(project.glob("data/search/*/trial-*"))

    see_nested_runs(project, trials)
    add_and_train(project, trials)
    said = python(project, "-m", "wenhuo", "search", "show", "mini")
    assert f"of {TRIALS} trials" in said


def see_nested_runs(project, trials):
    client = store.connect(project)
    runs = client.search_runs([store.experiment_id(client)], max_results=1000)
    (parent,) = [run for run in runs if run.info.run_name == "search mini"]
    nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert parent.info.status == "FINISHED"
    assert len(nested) == TRIALS
    by_name = {run.info.run_name: run for run in nested}
    for trial in trials:
        run = by_name[f"mini trial {trial['trial']}"]
        assert run.data.params["learning_rate"] == trial["learning_rate"]
        assert run.data.params["encoder.max_tokens"] == trial["encoder.max_tokens"]
        assert run.info.status == ("FINISHED" if trial["state"] == "complete" else "KILLED")
        if trial["state"] == "complete":
            assert run.data.metrics["score"] == float(trial["score"])
            steps = [metric.step for metric in client.get_metric_history(run.info.run_id, "validation/macro_f1")]
            assert len(steps) == len(set(steps)) == int(trial["epochs"])
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} == {"mini.csv", "mini.png"}


def add_and_train(project, trials):
    scores = [float(trial["score"]) for trial in trials if trial["state"] == "complete"]
    best = next(trial for trial in trials if trial["state"] == "complete" and float(trial["score"]) == max(scores))
    before = (project / "params.yaml").read_text(encoding="utf-8")
    python(project, "-m", "wenhuo", "search", "add", "mini")
    after = (project / "params.yaml").read_text(encoding="utf-8")
    added = lines_added(before, after)
    assert f"      learning_rate: {best['learning_rate']}" in added
    assert any(f"trial {best['trial']} of the search mini" in line for line in added)
    assert "already" in python(project, "-m", "wenhuo", "search", "add", "mini", expect=1)
    repro(project, "train@mini-best")
    points = history.read(project / "reports/history/mini-best.csv")
    assert max(point.value for point in points if point.metric == "validation/macro_f1") == max(scores)


def test_a_search_does_not_begin_on_data_that_are_out_of_date(project):
    parameters = project / "params.yaml"
    text = parameters.read_text(encoding="utf-8")
    try:
        parameters.write_text(text.replace("contradictions: drop", "contradictions: keep"), encoding="utf-8")
        said = python(project, "-m", "wenhuo", "search", "run", "mini", expect=1)
    finally:
        parameters.write_text(text, encoding="utf-8")
    assert "clean would run again" in said
    assert "dvc repro encode@characters" in said
