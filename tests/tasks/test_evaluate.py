import csv
import json
import types

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from tasks import evaluate
from tasks.command import stage_arguments
from wenhuo import lineage
from wenhuo.errors import DataError, ModelError
from wenhuo.evaluation import answers, weaknesses
from wenhuo.files import write_json
from wenhuo.models.folder import Card
from wenhuo.tracking import candidates as tracked
from wenhuo.training import before
from wenhuo.training.options import LinearCandidate, TransformerCandidate

LABELS = ["差评", "中评", "好评"]
NAMES = ("linear", "mini")
CANDIDATES = {
    "linear": LinearCandidate(kind="linear", encoder="ngrams"),
    "mini": TransformerCandidate(kind="transformer", encoder="characters", tune="lora"),
}
ABOUT = {"cleaning": {}, "encoder": {"kind": "tokens"}, "trained_on": {}, "parameters": {"all": 4000, "trained": 10}}


class Fake:
    """A classifier that reads the truth out of the text and gets some rows wrong: the ending of the text says which."""

    def __init__(self, folder):
        self.name, self.labels = folder.name, json.loads((folder / "labels.json").read_text())
        self.card = Card(kind="transformer", labels=self.labels, **ABOUT)

    def probabilities(self, texts):
        return np.array([self._row(text) for text in texts]).reshape(len(texts), len(self.labels))

    def _row(self, text):
        label, wrong, number = text.lstrip("=").split(" ")
        row = np.full(len(self.labels), 0.1 + int(number) % 7 / 100)
        right = self.labels.index(label)
        row[(right + 1) % len(self.labels) if self.name in wrong.split(",") else right] += 1
        return row / row.sum()


def part(split, rows=60, *, wrong=types.MappingProxyType({}), labels=LABELS, leaked=0):
    """A split; ``wrong``: candidate to how many of its rows it gets wrong."""
    return pl.DataFrame(
        {
            "id": [f"{split}{number:03}" for number in range(rows)],
            "text": [
                f"={labels[number % len(labels)]} {','.join(n for n in wrong if number < wrong[n])} {number}"
                for number in range(rows)
            ],
            "label": [labels[number % len(labels)] for number in range(rows)],
            "leaked": [number >= rows - leaked for number in range(rows)],
        },
        schema_overrides={"leaked": pl.Boolean},
    )


class Stage:
    """A folder with everything that the stage reads."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.logged = folder, {}
        monkeypatch.setattr(evaluate, "_chosen", lambda: (types.SimpleNamespace(candidates=CANDIDATES, seed=13), {}))
        monkeypatch.setattr(answers, "load", Fake)
        monkeypatch.setattr(weaknesses, "unseen", lambda *_: {})  # there are no encoders
        monkeypatch.setattr(tracked, "log_evaluation", self._log)
        monkeypatch.setattr(lineage, "identify_made", lambda stage: lineage.Identity(stage, "k" * 64))
        for name in NAMES:
            self.model(name)
        self.split(
            validation=part("v", wrong={"linear": 12, "mini": 6}), test=part("t", wrong={"linear": 5, "mini": 9})
        )

    def model(self, name, labels=("好评", "中评", "差评")):  # a model may have them in another order
        (self.folder / "models" / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "models" / name / "labels.json").write_text(json.dumps(labels))

    def untrained(self, rows):
        """What mini said before its first step: each row is the label given, in the order of the model's labels."""
        said = {
            key: [0.8 if label == name else 0.1 for name in ("好评", "中评", "差评")] for key, label in rows.items()
        }
        write_json(self.folder / "models/mini" / before.FILE, {"split": "validation", "probabilities": said})

    def split(self, **parts):
        (self.folder / "split").mkdir(exist_ok=True)
        for name, rows in parts.items():
            rows.write_parquet(self.folder / f"split/{name}.parquet")
        self.suspects()
        dataset = {"labels": LABELS, "cleaning": {}, "source": "a/本地.csv", "synthetic": True}
        dataset |= {
            "rows": {"train": 9, "validation": 60, "test": 60},
            "hash": dict.fromkeys(("train", "test"), "0" * 64),
        }
        (self.folder / "split/dataset.json").write_text(json.dumps(dataset))

    def suspects(self, ids=()):
        rows = {"id": [*ids, "t059", "t058"], "split": ["test"] * len(ids) + ["train", "test"]}
        flags = [True] * len(ids) + [True, False]
        pl.DataFrame(rows | {"flagged": flags}).write_parquet(self.folder / "suspects.parquet")

    def run(self, out="reports", **params):
        target = self.folder / out
        paths = {name: target / name for name in ("plots", "errors")}
        paths |= {"metrics": target / "metrics.json", "page": target / "candidates.html"}
        values = evaluate.Params(**{"bootstrap": 100, "seed": 1, "errors": 5, "robustness": {"rows": 0}} | params)
        sources = {"models": self.folder / "models", "parts": self.folder / "split", "history": self.folder / "history"}
        sources["suspects"] = self.folder / "suspects.parquet"
        evaluate.run(values, **sources, **paths)
        return json.loads(paths["metrics"].read_text())

    def _log(self, candidate, shown):
        assert all(path.exists() for path in (*shown.tables, *shown.pages))  # files first, then tracking
        assert shown.pages
        self.logged[candidate.name] = {**shown.figures, **shown.measured}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    return Stage(tmp_path, monkeypatch)


@pytest.fixture
def stage(drawn, monkeypatch):
    """Without the pictures, which take seconds."""
    monkeypatch.setattr(evaluate, "_write_plots", lambda *_: None)
    return drawn


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_measures_every_candidate_and_validation_chooses(stage, capsys):
    found = stage.run()
    assert found["candidates"]["linear"]["validation"]["accuracy"] == 0.8
    assert found["candidates"]["mini"]["test"]["accuracy"] == 0.85
    assert found["winner"] == "mini"  # worse on test
    assert (found["synthetic"], found["source"], found["rows"]["test"]) == (True, "a/本地.csv", 60)
    assert "test_leak_free" not in found["candidates"]["linear"]
    low, high = found["candidates"]["mini"]["validation"]["intervals"]["macro_f1"]
    assert low < 0.9 < high
    said = capsys.readouterr().out.splitlines()
    spoken = [line.split()[1] for line in said if line.startswith("evaluate: ") and "macro-F1" in line]
    assert spoken == list(NAMES)
    assert said[-1].endswith(str(stage.folder / "reports/candidates.html"))


def test_whatever_the_test_labels_are_the_winner_stays(stage):
    before = stage.run()
    shuffled = part("t").with_columns(pl.col("label").sample(fraction=1, shuffle=True, seed=4))
    stage.split(validation=part("v", wrong={"linear": 12, "mini": 6}), test=shuffled)
    after = stage.run()
    assert before["winner"] == after["winner"]
    assert before["candidates"]["mini"]["validation"] == after["candidates"]["mini"]["validation"]
    assert before["candidates"]["mini"]["test"] != after["candidates"]["mini"]["test"]


def test_of_equals_the_one_named_first_wins(stage):
    stage.split(validation=part("v"), test=part("t", wrong={"linear": 30}))
    assert stage.run()["winner"] == "linear"


def test_leaked_rows_are_measured_apart(stage):
    stage.split(validation=part("v"), test=part("t", wrong={"linear": 12}, leaked=20))
    found = stage.run()["candidates"]["linear"]
    assert found["test"]["accuracy"] == 0.8
    assert (found["test_leak_free"]["rows"], found["test_leak_free"]["accuracy"]) == (40, 0.7)


def test_the_same_inputs_give_the_same_bytes(drawn):
    (drawn.folder / "history").mkdir()
    (drawn.folder / "history/mini.csv").write_text(
        "step,epoch,metric,value\n1,0.5,train/loss,0.9\n2,1,train/loss,0.4\n"
    )
    drawn.run("a")
    drawn.run("b")
    first = everything(drawn.folder / "a")
    assert first == everything(drawn.folder / "b")
    assert b"mini,train/loss,2,1,0.4" in first["plots/learning.csv"]
    assert {
        "plots/mini/learning.png",
        "metrics.json",
        "candidates.html",
        "errors/linear.csv",
        "plots/linear/confusion.png",
        "plots/roc.csv",
    } <= set(first)
    assert b"seconds" not in first["metrics.json"]


def test_the_order_of_the_rows_changes_no_figure_no_error_table_and_not_the_page(stage):
    found = stage.run("a")
    for name in ("validation", "test"):
        path = stage.folder / f"split/{name}.parquet"
        pl.read_parquet(path).sample(fraction=1, shuffle=True, seed=2).write_parquet(path)
    assert stage.run("b") == found
    assert everything(stage.folder / "a") == everything(stage.folder / "b")


def test_a_label_missing_from_validation_is_null_and_no_crash(stage):
    stage.split(validation=part("v", labels=LABELS[:2]), test=part("t"))
    found = stage.run()["candidates"]["linear"]
    assert found["validation"]["per_class"]["好评"]["f1"] is None
    assert found["validation"]["macro_f1"] == 1
    assert found["test"]["per_class"]["好评"]["f1"] == 1


def test_the_surest_errors_as_a_table_that_runs_nothing(stage):
    stage.run()
    content = (stage.folder / "reports/errors/linear.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert len(rows) == 5
    assert all(row["text"].startswith("'=") and row["label"] != row["predicted"] for row in rows)
    confidence = [float(row["confidence"]) for row in rows]
    assert confidence == sorted(confidence, reverse=True)
    assert {row["split"] for row in rows} <= {"validation", "test"}


def test_tracking_gets_flat_figures_with_the_speed(stage):
    stage.run()
    figures = stage.logged["mini"]
    assert figures["test/accuracy"] == 0.85
    assert 0 < figures["validation_final/macro_f1"] < 1
    assert not any(name.startswith("validation/") for name in figures)  # these are the curves of the training
    assert figures["seconds_per_1000_texts"] > 0
    assert all(isinstance(value, float) for value in figures.values())


class Brittle(Fake):
    """mini decides by an exclamation mark alone, linear by a word."""

    def _row(self, text):
        told = "！" in text if self.name == "mini" else "good" in text
        return np.eye(3)[self.labels.index("好评" if told else "差评")]


def test_a_model_that_hangs_on_a_mark_is_found_out(stage, monkeypatch, capsys):
    rows = part("t", 40).with_columns(label=pl.Series(["差评", "好评"] * 20), text=pl.Series(["bad.", "good！"] * 20))
    rows = rows.with_columns(source=pl.Series(["网店", "论坛"] * 20))
    stage.split(train=rows, validation=rows, test=rows)
    stage.suspects(["t001", "t003"])
    monkeypatch.setattr(answers, "load", Brittle)
    asked = {"kinds": ["no_punctuation", "traditional"], "rows": 30}
    found = stage.run(robustness=asked)
    assert found["robustness"]["rows"] == 30
    falls = {name: kinds["no_punctuation"]["fall"] for name, kinds in found["robustness"]["candidates"].items()}
    assert falls["linear"] == 0 < 0.3 < falls["mini"]
    assert found["candidates"]["mini"]["test"]["accuracy"] == 1, "nothing else shows it"
    assert {one["by"] for one in found["slices"]["mini"]} == {"length", "source"}
    assert found["error_kinds"]["mini"] == []
    page = (stage.folder / "reports/candidates.html").read_text(encoding="utf-8")
    assert ">Robustness<" in page
    assert "points: no punctuation +0.0, traditional +0.0" in capsys.readouterr().out
    assert stage.run("again", robustness=asked) == found
    assert "robustness" not in stage.run("none", robustness={"rows": 0})


def test_suspect_labels_are_a_kind_of_error(stage):
    stage.suspects(["t000", "t001", "t002", "t030"])
    found = {one["kind"]: one for one in stage.run()["error_kinds"]["linear"]}
    assert (found["label looks wrong"]["rows"], found["label looks wrong"]["errors"]) == (4, 3)
    assert found["差评 → 好评"]["errors"] == 2


def test_models_that_params_does_not_name_are_left_alone(stage):
    (stage.folder / "models/stale").mkdir()
    assert set(stage.run()["candidates"]) == set(NAMES)


def test_a_model_of_other_labels_is_refused(stage):
    stage.model("mini", ["差评", "中评", "别的"])
    with pytest.raises(ModelError, match="别的"):
        stage.run()


def test_labels_that_the_data_set_does_not_list_are_refused(stage):
    stage.split(validation=part("v"), test=part("t", labels=["生"]))
    with pytest.raises(DataError, match="生"):
        stage.run()


def test_an_empty_validation_chooses_nothing(stage):
    stage.split(validation=part("v", rows=0), test=part("t"))
    with pytest.raises(DataError, match="validation"):
        stage.run()


def test_a_candidate_without_a_model_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="not trained"):
        answers.load(tmp_path / "mini")


@pytest.mark.parametrize("bootstrap", [-1, 1, 99, 10**6])
def test_too_few_or_too_many_resamples_are_a_mistake(bootstrap):
    with pytest.raises(ValidationError):
        evaluate.Params(bootstrap=bootstrap)


def test_no_intervals_when_none_are_asked_for(stage):
    assert stage.run(bootstrap=0)["candidates"]["mini"]["test"]["intervals"] == {}


def test_the_paths_are_those_of_the_graph():
    expected = ["models", "parts", "history", "suspects", "metrics", "page", "plots", "errors"]
    assert stage_arguments(evaluate.run) == expected
