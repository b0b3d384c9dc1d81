"""What is explained is what the model says: at its temperature, and with no label where it abstains."""

import json

import numpy as np
import pytest
from scipy.special import logit
from typer.testing import CliRunner

from wenhuo import Classifier
from wenhuo.cli import app
from wenhuo.explaining.explain import explain
from wenhuo.explaining.page import render_explanation
from wenhuo.files import read_json, write_json

TEXTS = ["房间很干净，推荐", "太贵，失望", "一般的书"]
PLAIN = {"label": None, "neighbours": 0, "among": None}


@pytest.fixture
def other(project, logistic_model):
    """Changes a model's card; the project's models are its own copies."""
    import shutil

    shutil.copytree(logistic_model, project / "models/logistic")

    def change(name, **values):
        path = project / "models" / name / "wenhuo.json"
        write_json(path, read_json(path) | values)

    return change


@pytest.mark.parametrize("name", ["linear", "logistic", "mini"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_probabilities_are_the_models_and_the_characters_add_up(other, name, temperature):
    other(name, temperature=temperature)
    said = Classifier.load(f"models/{name}").probabilities(TEXTS)
    for text, row in zip(TEXTS, said, strict=True):
        found = explain(text, name, **PLAIN).found
        assert found.probabilities == pytest.approx(row, abs=1e-5)
        assert found.complete, found.gap
        if (
            name != "linear"
        ):  # an SVM of several classes explains one against the rest, before they are made to sum to 1
            assert found.log_odds == pytest.approx(logit(row[found.label]), abs=1e-3)
            assert found.without + found.characters.sum() == pytest.approx(logit(row[found.label]), abs=0.02)


@pytest.mark.parametrize("name", ["linear", "logistic", "mini"])
def test_a_temperature_scales_and_does_not_turn(other, name):
    other(name, temperature=1.0)
    plain = explain(TEXTS[0], name, **PLAIN).found
    other(name, temperature=2.0)
    found = explain(TEXTS[0], name, **PLAIN).found
    assert found.label == plain.label
    assert np.corrcoef(found.characters, plain.characters)[0, 1] > 0.9
    if name == "linear":
        assert found.characters == pytest.approx(plain.characters / 2)


def test_an_explanation_of_no_answer_says_so(other):
    other("linear", abstain_below=None)
    assert explain("书", "linear", **PLAIN).predicted == explain("书", "linear", **PLAIN).best
    other("linear", abstain_below=0.99999)
    found = explain("书", "linear", **PLAIN)
    assert found.predicted is None
    assert any("gives no answer here: it abstains below 100.0%" in note for note in found.notes)
    assert f"No answer: perhaps <bdi>{found.best}" in render_explanation(found)
    said = CliRunner().invoke(app, ["explain", "书", "--model", "linear", "--neighbours", "0"], env={"COLUMNS": "160"})
    assert "linear: no answer, " in said.output
    told = CliRunner().invoke(app, ["explain", "书", "--model", "linear", "--neighbours", "0", "--json"])
    answer = json.loads(told.stdout)
    assert (answer["predicted"], answer["best"]) == (None, found.best)
