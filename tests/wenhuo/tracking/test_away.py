"""MLflow may go away in the middle of a training, or hang: training ends as if it were there, and nothing is lost."""

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from wenhuo import keeping, lineage
from wenhuo.errors import TrackingError
from wenhuo.lineage import Identity
from wenhuo.tracking import candidates, runs, store
from wenhuo.tracking.candidates import Candidate, Evaluation, LiveRun
from wenhuo.training.history import Point

KEY = "k" * 64
DATASET = {"source": "made", "synthetic": True, "rows": {"train": 3}, "hash": {"train": "1" * 64}}


def made(**more) -> Candidate:
    return Candidate(Identity("train@mini", KEY, in_graph=True, **more), "mini", {"epochs": 3}, DATASET)


def curve(*steps):
    return [Point(step, step / 10, "train/loss", 1 / step) for step in steps]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(candidates, "SECONDS_BETWEEN_TRIES", 0.0)
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/roc.csv").write_text("x\n")
    return tmp_path


def gone(*_, **__):
    raise MlflowException("connection refused")


def steps():
    client = store.connect()
    run = runs.find_run(client, KEY)
    return run, [m.step for m in client.get_metric_history(run.info.run_id, "train/loss")]


def test_a_server_that_goes_away_midway_is_said_once_and_synced_when_it_is_back(place, monkeypatch, capsys):
    with LiveRun(made()) as live:
        live.log(curve(1))
        with monkeypatch.context() as away:
            away.setattr(MlflowClient, "log_batch", gone)
            for step in range(2, 6):
                live.log(curve(step))
        live.log(curve(6))
    said = capsys.readouterr().out
    assert said.count("MLflow is away") == 1
    assert said.count("MLflow is back") == 1
    run, seen = steps()
    assert seen == [1, 2, 3, 4, 5, 6]
    assert run.info.status == "FINISHED"


def test_one_that_stays_away_is_made_good_by_the_evaluation(place, monkeypatch):
    with monkeypatch.context() as away:
        away.setattr(candidates, "connect", gone)
        with LiveRun(made()) as live:
            live.log(curve(1, 2))
    shown = Evaluation(curve(1, 2), {"test/accuracy": 0.5}, place / "plots", {"seconds_per_1000_texts": 2.0})
    assert candidates.log_evaluation(made(made=True), shown)
    run, seen = steps()
    assert seen == [1, 2]
    assert run.data.metrics["seconds_per_1000_texts"] == 2.0
    assert {"wenhuo.cpu", "wenhuo.threads", "wenhuo.stage_key"} <= run.data.tags.keys()  # as kept by the training


def test_a_server_that_hangs_takes_little_of_a_training(place, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(candidates.time, "monotonic", lambda: now[0])
    tries = []

    def hanging(*_):
        tries.append(now[0])
        now[0] += 60
        raise TrackingError("does not answer")

    monkeypatch.setattr(candidates, "connect", hanging)
    with LiveRun(made()) as live:
        while now[0] < 6000:
            now[0] += 1
            live.log([])
    assert 60 * len(tries) <= 0.12 * now[0]


def test_what_was_kept_of_a_run_is_said_again_whatever_is_true_now(place, monkeypatch):
    with LiveRun(made()):
        pass
    kept = keeping.kept_run(place, KEY)
    monkeypatch.setattr(lineage, "hardware_tags", lambda: {"wenhuo.cpu": "another"})
    assert made(made=True).told() == kept
    again = Candidate(Identity("train@mini", "q" * 64, in_graph=True, made=True), "mini", {}, DATASET).told()
    assert "wenhuo.cpu" not in again["tags"]  # it was made elsewhere, nobody knows on what


def test_a_training_that_fails_keeps_nothing(place):
    with pytest.raises(ValueError, match="no"), LiveRun(made()):
        raise ValueError("no")
    assert keeping.kept_run(place, KEY) is None


def test_the_first_measured_speed_is_kept(place):
    def log(seconds):
        shown = Evaluation(curve(1), {"test/accuracy": 0.5}, place / "plots", {"seconds_per_1000_texts": seconds})
        return candidates.log_evaluation(made(made=True), shown)

    assert [log(2.0), log(3.0)] == [True, False]
    assert keeping.keep_measured(place, KEY, {})[0] == {"seconds_per_1000_texts": 2.0}
    run, _ = steps()
    client = store.connect()
    assert len(client.get_metric_history(run.info.run_id, "seconds_per_1000_texts")) == 1
