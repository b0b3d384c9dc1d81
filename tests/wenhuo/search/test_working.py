"""A worker trains trials by the stage's own code; one that fails is marked, a mistake ends the search."""

import signal

import pytest

from wenhuo.encoding import corpus
from wenhuo.errors import DataError, ModelError, SettingsError
from wenhuo.files import read_json
from wenhuo.search import results, studies, trials, working
from wenhuo.search.changes import setting
from wenhuo.search.crew import MISTAKE, environment
from wenhuo.search.project import make_plan
from wenhuo.training import candidate
from wenhuo.training.history import Point


class Run:
    """Stands for a run in MLflow."""

    seen: list = []  # noqa: RUF012 - emptied by the fixture

    def __init__(self, known):
        self.known, self.points, self.ended = known, [], None
        Run.seen.append(self)

    def log(self, points):
        self.points += points

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.ended = kind.__name__ if kind else "well"


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    Run.seen.clear()
    monkeypatch.setattr(trials, "LiveRun", Run)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def search(project, name, wanted):
    plan = make_plan(project, name)
    working.work(plan, wanted, "parent")
    return plan, studies.find(project, plan)


def declare(project, old, new):
    file = project / "search.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_linear_trial_has_the_score_of_its_candidate(project, tmp_path):
    plan, study = search(project, "linear", 4)
    found = results.results(study)
    assert [result.state for result in found] == ["complete"] * 4
    assert len({result.values["encoder.longest"] for result in found}) > 1
    for result in found:
        made = setting(plan.base, result.values)
        folder = tmp_path / str(result.place)
        corpus.encode(made.encoder, corpus.read_dataset(project / "data/split"), folder / "encoded")
        (folder / "model").mkdir()
        points = candidate.train_linear(made.candidate, 13, folder / "encoded", folder / "model")
        assert trials.score(points, "macro_f1") == result.score
    run = Run.seen[1]
    assert run.known.tags == {"wenhuo.search": "linear", "mlflow.parentRunId": "parent"}
    assert run.known.parameters["encoder"]["longest"] == found[1].values["encoder.longest"]
    assert run.points[-1] == Point(1, 1.0, "score", found[1].score)
    assert not list((project / plan.folder).glob("trial-*"))
    assert len({one.known.identity.key for one in Run.seen}) == 4


def test_a_transformers_score_is_that_of_the_epoch_it_keeps(project):
    points = [Point(10 * n, n, f"validation/{metric}", value) for n, metric, value in [
        (1, "macro_f1", 0.5), (1, "loss", 0.9), (2, "macro_f1", 0.7), (2, "loss", 0.8), (3, "macro_f1", 0.7),
        (3, "loss", 0.6),
    ]]  # fmt: skip
    assert trials.score(points, "macro_f1") == 0.7
    assert trials.score(points, "loss") == 0.8


def test_transformers_are_trained_on_the_encoder_that_each_trial_asks_for(project):
    declare(project, "{kind: int, low: 16, high: 32, step: 8}", "[16, 24]")
    plan, study = search(project, "mini", 3)
    found = results.results(study)
    assert [result.epochs for result in found] == [3, 3, 3]
    assert {result.state for result in found} == {"complete"}
    wanted = {result.values["encoder.max_tokens"] for result in found}
    assert wanted <= {16, 24}
    encoded = list((project / plan.folder).glob("encoded-*[0-9a-f]"))
    assert {corpus.read_card(folder)["options"]["max_tokens"] for folder in encoded if folder.is_dir()} == wanted
    assert [one.ended for one in Run.seen] == ["well"] * 3


def test_a_trial_that_is_behind_ends_early(project, monkeypatch):
    monkeypatch.setattr("optuna.Trial.should_prune", lambda trial: trial.number == 1)
    _, study = search(project, "mini", 2)
    first, second = results.results(study)
    assert (first.state, second.state, second.epochs) == ("complete", "pruned", 1)
    assert [one.ended for one in Run.seen] == ["well", "TrialPruned"]


@pytest.mark.parametrize("error", [DataError("the loss is nan at step 3"), ModelError("out of memory"), MemoryError()])
def test_a_trial_that_fails_is_marked_and_the_search_goes_on(project, monkeypatch, error):
    train = candidate.train_linear

    def sometimes(options, *more):
        if options.c == 0.5:
            raise error
        return train(options, *more)

    monkeypatch.setattr(candidate, "train_linear", sometimes)
    _, study = search(project, "linear", 3)
    assert [result.state for result in results.results(study)] == ["failed", "complete", "complete"]
    assert results.results(study)[0].reason in (getattr(error, "what", "") or "out of memory: ")


def test_when_nothing_works_it_stops(project, monkeypatch):
    def fail(*_):
        raise DataError("the loss is nan at step 3", "lower it")

    monkeypatch.setattr(candidate, "train_linear", fail)
    with pytest.raises(DataError, match="all of the first 3 trials failed, the last one so: the loss is nan"):
        search(project, "linear", 20)


def test_a_mistake_that_shows_only_in_training_stops_and_does_not_count(project, monkeypatch):
    declare(project, "head: [mean,", "tune: [{kind: last, layers: 7}]\n    dropout: [0.0]\n    head: [mean,")
    plan = make_plan(project, "mini")
    with pytest.raises(SettingsError, match=r"trial 1 \(.*tune .*\): tune: the last 7 layers of 1"):
        working.work_for("mini", 5, plan.key, "")
    assert read_json(project / plan.folder / MISTAKE)["kind"] == "SettingsError"
    study = studies.find(project, plan)
    assert results.results(study) == []
    assert not list((project / plan.folder).glob("trial-*"))


def test_a_worker_stops_when_the_parameters_were_changed(project):
    with pytest.raises(SettingsError, match="were changed while the search ran"):
        working.work_for("linear", 5, "0" * 64, "")
    assert read_json(project / "data/search/000000000000" / MISTAKE)["hint"] == "start it again"


def test_an_interrupted_trial_goes_on_from_its_checkpoint_to_the_same_score(project, monkeypatch):
    declare(project, "trials: 6", "trials: 6\n  prune: none")
    parameters = project / "params.yaml"
    text = parameters.read_text(encoding="utf-8").replace("epochs: 3", "epochs: 3\n      checkpoint_seconds: 0")
    parameters.write_text(text, encoding="utf-8")
    plan = make_plan(project, "mini")

    real, said = trials._watch, []

    def watch(*arguments):
        inner = real(*arguments)

        def look(points):
            inner(points)
            if not said and any(point.metric == "validation/macro_f1" for point in points):
                said.append(points[0].step)
                signal.raise_signal(signal.SIGTERM)

        return look

    monkeypatch.setattr(trials, "_watch", watch)
    assert working.work_for("mini", 1, plan.key, "") is False
    study = studies.find(project, plan)
    assert results.results(study) == []
    assert list((project / plan.folder).glob("trial-0001-*/checkpoints/step-*"))
    assert working.work_for("mini", 1, plan.key, "") is True
    (result,) = results.results(study)
    assert [one.ended for one in Run.seen] == ["KeyboardInterrupt", "well"]
    assert Run.seen[0].known.identity == Run.seen[1].known.identity
    assert not list((project / plan.folder).glob("trial-*"))

    folder = project / "direct"
    folder.mkdir()
    made = setting(plan.base, result.values)
    points = candidate.train_transformer(
        made.candidate, 13, project / "data/encoded/characters", folder, project / "checkpoints", lambda points: None
    )
    assert trials.score(points, "macro_f1") == result.score


def test_workers_share_the_cores_and_the_gpus(monkeypatch):
    monkeypatch.setattr("wenhuo.search.crew._cores", lambda: 8)
    assert "OMP_NUM_THREADS" not in environment(0, 1, {})
    assert environment(0, 3, {})["OMP_NUM_THREADS"] == "2"
    assert environment(0, 3, {"OMP_NUM_THREADS": "5"})["OMP_NUM_THREADS"] == "5"
    assert environment(0, 99, {})["OMP_NUM_THREADS"] == "1"
    named = {"CUDA_VISIBLE_DEVICES": "2,5"}
    assert [environment(place, 3, named)["CUDA_VISIBLE_DEVICES"] for place in range(3)] == ["2", "5", "2"]
