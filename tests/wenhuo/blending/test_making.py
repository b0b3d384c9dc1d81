"""A blend is made of trained models, says what it found, and is a model folder like any other."""

import shutil

import polars as pl
import pytest

from wenhuo import Classifier
from wenhuo.blending import making
from wenhuo.blending.options import Blend, disagreements
from wenhuo.errors import DataError, ModelError
from wenhuo.files import read_json, write_json
from wenhuo.models.folder import read_card


@pytest.fixture
def models(linear_model, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(linear_model, tmp_path / "models" / name)
    return tmp_path / "models"


def made(models, parts, options):
    dataset, folder = read_json(parts / "dataset.json"), models / "both"
    fitted = making.fit(options, models, parts / "validation.parquet", dataset["labels"])
    folder.mkdir()
    making.write(fitted, models, dataset, folder)
    return fitted, folder


def test_a_blend_is_written_with_its_members_and_its_scores(models, parts, capsys):
    options = Blend(of=["two", "one"], abstain=0.6)
    fitted, folder = made(models, parts, options)
    said = capsys.readouterr().out
    card = read_card(folder)
    assert list(card.members) == ["two", "one"] and card.members == fitted.weights
    assert card.temperature == 1 and card.abstain_for == 0.6 and card.abstain_below is not None
    assert card.trained_on["hash"] == read_json(parts / "dataset.json")["hash"]
    scores = {point.metric: point.value for point in fitted.points}
    assert set(scores) == {
        f"{what}/{score}"
        for what in ("validation", "members/one", "members/two")
        for score in ("loss", "accuracy", "macro_f1")
    }
    assert "blend: abstains below" in said
    rows = pl.read_parquet(parts / "validation.parquet")
    guesses = [one.best for one in Classifier.load(folder).predict(rows["text"].to_list())]
    assert scores["validation/accuracy"] == pytest.approx((rows["label"] == pl.Series(guesses)).mean())
    assert making.parameters(options, card.members) == {
        "kind": "blend",
        "of": ["two", "one"],
        "abstain": 0.6,
        "weights": card.members,
    }


def test_a_blend_that_is_no_better_than_a_member_says_so(models, parts, capsys, monkeypatch):
    monkeypatch.setattr(making, "fit_weights", lambda *_: [0.0, 0.01])  # hardly listens to anybody
    made(models, parts, Blend(of=["one", "two"]))
    assert "no better than one alone" in capsys.readouterr().out


def test_the_same_inputs_give_the_same_bytes(models, parts):
    first = made(models, parts, Blend(of=["one", "two"]))[1]
    kept = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    shutil.rmtree(first)
    again = made(models, parts, Blend(of=["one", "two"]))[1]
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()} == kept


def test_members_that_are_missing_or_of_other_labels_are_refused(models, parts):
    with pytest.raises(ModelError, match="there is no model folder"):
        made(models, parts, Blend(of=["one", "gone"]))
    card = read_json(models / "two/wenhuo.json")
    write_json(models / "two/wenhuo.json", card | {"labels": ["a", "b", "c"]})
    with pytest.raises(ModelError, match="other labels than the data"):
        made(models, parts, Blend(of=["one", "two"]))


def test_validation_without_rows_is_an_error(models, tmp_path):
    pl.DataFrame(schema={"text": pl.String, "label": pl.String}).write_parquet(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="validation has no rows"):
        making.fit(Blend(of=["one", "two"]), models, tmp_path / "none.parquet", ["a", "b"])


def test_every_disagreement_is_found():
    blends = {"one": Blend(of=["one", "two"]), "more": Blend(of=["fast", "both"]), "both": Blend(of=["one", "two"])}
    found = disagreements(blends, {"one": 1, "two": 2})
    assert found == [
        "one: train.candidates has a 'one' as well; call one of them otherwise",
        "more.of: there is no 'fast' in train.candidates (one, two)",
        "more.of: 'both' is a blend itself; name what it is made of",
    ]
    assert disagreements({"both": blends["both"]}, ("one", "two")) == []
