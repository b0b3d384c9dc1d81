"""The stage with real models of the tiny corpus: what was kept before training meets what is said after it."""

import shutil
import types

import numpy as np
import polars as pl
import pytest

from tasks import evaluate
from tests.wenhuo.training.conftest import options, train
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Tokens
from wenhuo.files import read_json
from wenhuo.models.folder import read_card
from wenhuo.training import before, history
from wenhuo.training.options import LinearCandidate

TUNED = {"tune": {"kind": "lora", "rank": 4}, "head": "cnn", "epochs": 2}


@pytest.fixture(scope="module")
def made(parts, linear_model, tmp_path_factory):
    """The stage's folder after it has run."""
    folder = tmp_path_factory.mktemp("evaluated")
    corpus.encode_tokens(Tokens(kind="tokens"), corpus.read_dataset(parts), folder / "encoded")
    model, points = train(folder / "work", folder / "encoded", **TUNED)
    (folder / "models").mkdir()
    shutil.copytree(linear_model, folder / "models/linear")
    shutil.copytree(model, folder / "models/mini")
    history.write(folder / "history/mini.csv", points)
    candidates = {"linear": LinearCandidate(kind="linear", encoder="ngrams"), "mini": options(**TUNED)}
    paths = {name: folder / name for name in ("models", "history", "plots", "errors")}
    paths["suspects"] = folder / "suspects.parquet"
    suspects = {"id": ["test-00003"], "split": ["test"], "flagged": [True]}
    pl.DataFrame(suspects).write_parquet(paths["suspects"])
    paths |= {"parts": parts, "metrics": folder / "metrics.json", "page": folder / "candidates.html"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "_chosen", lambda: (types.SimpleNamespace(candidates=candidates, seed=13), {}))
        patch.setattr(evaluate, "_log", lambda *_: None)
        patch.setattr(evaluate, "_write_plots", lambda *_: None)
        evaluate.run(evaluate.Params(bootstrap=100), **paths)
    return folder


def test_the_page_tallies_what_was_said_before_and_after(made, parts):
    dataset, page = corpus.read_dataset(parts), (made / "candidates.html").read_text(encoding="utf-8")
    kept, truth = before.read(made / "models/mini"), dataset.class_ids("validation")
    untrained = np.array([kept[name] for name in dataset.tables["validation"]["id"]]).argmax(1)
    figures = read_json(made / "metrics.json")["candidates"]
    for name, first in (("linear", "–"), ("mini", int((untrained == truth).sum()))):
        last = round(figures[name]["validation"]["accuracy"] * len(truth))
        assert f'<bdi>{name}</bdi></th><td class="figure">{first}</td><td class="figure">{last}</td>' in page
    assert page.count("<bdi>mini</bdi>") >= 5
    assert "How training went" in page


def test_the_figures_say_how_many_parameters_were_trained(made):
    counted = read_json(made / "metrics.json")["parameters"]
    card = read_card(made / "models/linear")
    assert counted["mini"] == read_card(made / "models/mini").parameters
    assert counted["mini"]["trained"] < counted["mini"]["all"]
    assert counted["linear"]["trained"] == counted["linear"]["all"]
    assert counted["linear"]["all"] % len(card.labels) == 0, "as many weights and a bias for each label"
