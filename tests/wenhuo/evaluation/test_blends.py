"""evaluate puts a blend's answers together from those of its members: the same numbers as the blend's folder gives."""

import shutil

import numpy as np
import pytest

from wenhuo import Classifier
from wenhuo.blending import making
from wenhuo.blending.options import Blend
from wenhuo.errors import ModelError
from wenhuo.evaluation import blends
from wenhuo.evaluation.answers import read_parts
from wenhuo.evaluation.blends import ask_all
from wenhuo.evaluation.encoded import unseen
from wenhuo.files import read_json
from wenhuo.models.folder import read_card
from wenhuo.training import candidate
from wenhuo.training.options import LinearCandidate


@pytest.fixture(scope="module")
def models(parts, linear_model, tmp_path_factory):
    """Two linear models of other strengths, and a blend of them."""
    from wenhuo.encoding import corpus
    from wenhuo.encoding.options import Ngrams

    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(linear_model, folder / "one")
    corpus.encode_ngrams(Ngrams(kind="ngrams", longest=2), corpus.read_dataset(parts), folder / "encoded")
    (folder / "two").mkdir()
    options = LinearCandidate(kind="linear", encoder="x", estimator="logistic", c=0.1)
    candidate.train_linear(options, 13, folder / "encoded", folder / "two")
    dataset = read_json(parts / "dataset.json")
    fitted = making.fit(Blend(of=["one", "two"]), folder, parts / "validation.parquet", dataset["labels"])
    (folder / "both").mkdir()
    making.write(fitted, folder, dataset, folder / "both")
    return folder


def asked(models, parts, trained=("one", "two")):
    labels = read_json(parts / "dataset.json")["labels"]
    read = read_parts(parts, labels)
    return read, ask_all(models, trained, ["both"], read, labels)


def test_answers_put_together_are_those_of_the_folder(models, parts, monkeypatch):
    questions = []
    ask = blends.ask
    monkeypatch.setattr(blends, "ask", lambda model, *rest: questions.append(model.name) or ask(model, *rest))
    read, found = asked(models, parts)
    assert list(found) == ["one", "two", "both"] and questions == ["one", "two"]
    classifier = Classifier.load(models / "both")
    for split, part in read.items():
        assert found["both"].by_split[split] == pytest.approx(classifier.probabilities(part.texts), abs=1e-12)
    assert found["both"].seconds == pytest.approx(found["one"].seconds + found["two"].seconds)
    assert found["both"].card == read_card(models / "both")


@pytest.mark.parametrize("why", ["a member is no candidate", "a member was trained again"])
def test_a_blend_of_other_models_than_the_candidates_is_asked_itself(models, parts, tmp_path, why):
    shutil.copytree(models, tmp_path / "models")
    trained = ("one",)
    if why == "a member was trained again":
        trained = ("one", "two")
        shutil.copytree(models / "one", tmp_path / "models/two", dirs_exist_ok=True)
    read, found = asked(tmp_path / "models", parts, trained)
    wanted = Classifier.load(models / "both").probabilities(read["test"].texts)
    assert np.array_equal(found["both"].by_split["test"], wanted)


def test_a_blend_that_was_not_made_names_its_stage(models, parts, tmp_path):
    shutil.copytree(models, tmp_path / "models")
    shutil.rmtree(tmp_path / "models/both")
    with pytest.raises(ModelError) as error:
        asked(tmp_path / "models", parts)
    assert error.value.hint == "run `dvc repro blend@both`"


def test_a_blend_overlooks_what_any_of_its_members_overlooks(models):
    found = unseen(models / "both", read_card(models / "both"), ["满意", "☃"])
    assert {name: mask.tolist() for name, mask in found.items()} == {"unknown": [False, True]}
