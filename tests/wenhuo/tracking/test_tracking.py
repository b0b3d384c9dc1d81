"""Runs and versions: found again by key, written once, and no condition of training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wenhuo import Classifier
from wenhuo.errors import ModelError, TrackingError
from wenhuo.lineage import Identity
from wenhuo.tracking import candidates, names, registry, runs, store
from wenhuo.tracking.candidates import Candidate, Evaluation, LiveRun
from wenhuo.training.history import Point

ROOT = Path(__file__).resolve().parents[3]
DATASET = {
    "source": "made",
    "synthetic": True,
    "labels": ["a", "b"],
    "rows": {"train": 3, "validation": 2, "test": 1},
    "hash": {"train": "1" * 64, "validation": "2" * 64, "test": "3" * 64},
}


def made(key: str = "k" * 64, name: str = "mini") -> Candidate:
    return Candidate(Identity(f"train@{name}", key), name, {"epochs": 3, "encoder": {"kind": "tokens"}}, DATASET)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def curve(steps):
    return [Point(step, step / 10, "train/loss", 1 / step) for step in steps]


def history(client, key="k" * 64):
    run = runs.find_run(client, key)
    return run, [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "train/loss")]


def test_a_killed_training_goes_on_in_the_same_run(place):
    class Interrupted(Exception):  # noqa: N818
        pass

    with pytest.raises(Interrupted), LiveRun(made()) as live:
        live.log(curve([1, 2, 3]))
        raise Interrupted
    client = store.connect()
    assert history(client)[0].info.status == "KILLED"
    with LiveRun(made()) as live:
        live.log(curve([1, 2, 3]))  # what the checkpoint knew
        live.log(curve([4]))
    run, points = history(client)
    assert points == [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)]
    assert run.info.status == "FINISHED"
    assert len(client.search_runs([store.experiment_id(client)])) == 1


def test_a_run_says_what_it_was_made_of(place):
    with LiveRun(made()):
        pass
    run = runs.find_run(store.connect(), "k" * 64)
    assert run.data.params == {"epochs": "3", "encoder.kind": "tokens"}
    assert run.data.tags["wenhuo.stage"] == "train@mini"
    assert run.data.tags["wenhuo.data_test_sha256"] == "3" * 64
    assert run.data.tags["wenhuo.rows_train"] == "3"
    assert run.data.tags["wenhuo.synthetic"] == "true"
    assert {i.dataset.digest for i in run.inputs.dataset_inputs} == {c * 36 for c in "123"}


def test_an_evaluation_is_logged_once_and_mends_what_is_missing(place):
    (place / "plots").mkdir()
    (place / "plots" / "roc.csv").write_text("x\n")
    (place / "errors.csv").write_text("x\n")
    (place / "page.html").write_text("<p>x</p>\n")
    tables, pages = [place / "errors.csv"], [place / "page.html"]
    shown = Evaluation(curve([1, 2]), {"test/accuracy": 0.5}, place / "plots", tables=tables, pages=pages)
    assert [candidates.log_evaluation(made(), shown) for _ in range(2)] == [True, False]
    client = store.connect()
    run, points = history(client)
    assert points == [(1, 1.0), (2, 0.5)]
    assert len(client.get_metric_history(run.info.run_id, "test/accuracy")) == 1
    assert [f.path for f in client.list_artifacts(run.info.run_id, "plots")] == ["plots/roc.csv"]
    assert [f.path for f in client.list_artifacts(run.info.run_id, "tables")] == ["tables/errors.csv"]
    assert [f.path for f in client.list_artifacts(run.info.run_id, "pages")] == ["pages/page.html"]


def test_training_outlives_a_server_that_is_away_and_logs_everything_when_it_is_back(place, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with LiveRun(made()) as live:
        live.log(curve([1, 2]))
        monkeypatch.delenv("MLFLOW_TRACKING_URI")
        live.log(curve([3]))
    assert "MLflow is away" in capsys.readouterr().out
    assert [step for step, _ in history(store.connect())[1]] == [1, 2, 3]


def test_a_server_that_is_away_is_a_clear_error_without_its_password(place, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match=r"does not answer") as caught:
        store.connect()
    assert "secret" not in caught.value.what.split(" does not answer")[0]


def test_long_values_and_many_of_them_fit(place):
    client = store.connect()
    run = runs.open_run(client, Identity("s", "q"), "n", {"long": "字" * 9000})
    runs.log_parameters(client, run.info.run_id, {"long": "字" * 7000, **{f"p{i}": i for i in range(250)}})
    runs.log_points(client, run.info.run_id, [Point(i, 0, f"class_{i % 500}/f1", 0.5) for i in range(2500)], {})
    found = runs.find_run(client, "q").data
    assert len(found.params["long"]) == 6000
    assert len(found.params) == 251
    assert len(found.metrics) == 500


def test_the_first_parallel_start_makes_one_store(place):
    code = "from wenhuo.tracking.store import connect, experiment_id; print(experiment_id(connect()))"
    command = [sys.executable, "-c", code]
    started = [
        subprocess.Popen(
            command,
            cwd=place,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(3)
    ]
    assert {process.communicate(timeout=120)[0].strip() for process in started} == {"1"}


def test_a_model_is_registered_once_and_loads_without_its_code(place, linear_model):
    model = linear_model
    with LiveRun(made(name="linear")):
        pass
    client = store.connect()
    run, tags = runs.find_run(client, "k" * 64), made().identity.tags()
    first = registry.register(client, "wenhuo-made", run.info.run_id, model, ["很干净"], tags)
    again = registry.register(client, "wenhuo-made", run.info.run_id, model, ["很干净"], tags)
    assert (first.number, again.number, first.key) == (1, 1, "k" * 64)
    assert registry.champion(client, "wenhuo-made") is None
    registry.make_champion(client, first)
    assert registry.champion(client, "wenhuo-made").number == 1

    folder = registry.fetch_model("models:/wenhuo-made@champion")
    assert not [path for path in folder.rglob("*") if path.suffix in {".py", ".pkl", ".bin"}]
    texts = ["房间很干净", "太贵，失望"]
    ours = Classifier.load("models:/wenhuo-made/1").predict(texts)
    assert ours == Classifier.load(model).predict(texts)

    import mlflow

    served = mlflow.pyfunc.load_model("models:/wenhuo-made/1").predict([{"text": text} for text in texts])
    assert served["label"].tolist() == [found.label for found in ours]
    logged = Path(mlflow.artifacts.download_artifacts("models:/wenhuo-made/1"))
    assert not list(logged.rglob("*.pkl"))


def test_a_model_that_is_not_registered_is_a_clear_error(place):
    with pytest.raises(ModelError, match="cannot be fetched"):
        Classifier.load("models:/nobody@champion")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("sample", "wenhuo-sample"),
        ("../data/chnsenticorp/", "wenhuo-chnsenticorp"),
        ("https://x.org/a/评论 v2.csv?token=1", "wenhuo-评论-v2"),
        ("hf://owner/Some_Set@main", "wenhuo-some-set"),
        ("///", "wenhuo-corpus"),
    ],
)
def test_registered_names(source, name):
    assert names.registered_name(source) == name
