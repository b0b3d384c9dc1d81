"""Tiny models that can be explained, and a project around them."""

import shutil

import polars as pl
import pytest

from wenhuo.encoding import corpus
from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.training import candidate
from wenhuo.training.options import LinearCandidate, TransformerCandidate

SHAPE = {"layers": 1, "hidden": 32, "heads": 2, "dropout": 0.0}


@pytest.fixture(scope="session")
def mini_model(parts, tmp_path_factory):
    """The folder of a transformer of the tiny corpus that has learnt its telling words."""
    folder = tmp_path_factory.mktemp("mini")
    options = Tokens(kind="tokens", vocabulary=300, max_tokens=40)
    corpus.encode_tokens(options, corpus.read_dataset(parts), folder / "encoded")
    chosen = TransformerCandidate(
        kind="transformer", encoder="x", backbone="scratch", epochs=8, learning_rate=0.003, head="mean", **SHAPE
    )
    (folder / "model").mkdir()
    candidate.train_transformer(chosen, 13, folder / "encoded", folder / "model", folder / "state", lambda _: None)
    return folder / "model"


@pytest.fixture(scope="session")
def logistic_model(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logistic")
    options = Ngrams(kind="ngrams", unit="words", shortest=1, longest=2)
    corpus.encode_ngrams(options, corpus.read_dataset(parts), folder / "encoded")
    (folder / "model").mkdir()
    chosen = LinearCandidate(kind="linear", encoder="x", estimator="logistic", c=50)
    candidate.train_linear(chosen, 13, folder / "encoded", folder / "model")
    return folder / "model"


@pytest.fixture
def project(parts, linear_model, mini_model, tmp_path, monkeypatch):
    """A project's folder, in which the test runs: candidates, split data, and one suspect label."""
    shutil.copytree(parts, tmp_path / "data/split")
    for name, model in {"linear": linear_model, "mini": mini_model}.items():
        shutil.copytree(model, tmp_path / "models" / name)
    first = pl.read_parquet(tmp_path / "data/split/train.parquet").row(0, named=True)
    suspect = {
        "id": first["id"],
        "split": "train",
        "suggested": "positive",
        "flagged": True,
        "action": "drop",
    }
    (tmp_path / "reports").mkdir()
    pl.DataFrame([suspect]).write_parquet(tmp_path / "reports/suspects.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path
