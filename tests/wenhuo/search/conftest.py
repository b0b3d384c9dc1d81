"""A project in which everything up to the encoders has run, on the tiny corpus, with searches that take seconds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import BAD, GOOD, NEUTRAL, write_parts
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Ngrams, Tokens

LABELS = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}
ROOT = Path(__file__).resolve().parents[3]

PARAMETERS = """\
# Not read by a search.
clean: {duplicates: remove}

encode:
  encoders:
    ngrams: {kind: ngrams, longest: 2, min_rows: 1}   # for the linear one
    characters:
      kind: tokens
      max_tokens: 32    # short texts

train:
  seed: 13
  candidates:
    linear: {kind: linear, encoder: ngrams, c: 0.5}  # the baseline

    # small, and fast enough for a test
    mini:
      kind: transformer
      encoder: characters
      layers: 1         # shape
      hidden: 32
      heads: 2
      head: mean
      epochs: 3
      patience: 3
      batch_size: 16
      learning_rate: 0.003
      log_steps: 3

# the end
evaluate: {}
"""

SEARCHES = """\
linear:
  candidate: linear
  trials: 12
  space:
    c: {kind: float, low: 0.01, high: 10, log: true}
    estimator: [svm, logistic]
    encoder.longest: [1, 2, 3]
mini:
  candidate: mini
  trials: 6
  space:
    learning_rate: {kind: float, low: 0.0003, high: 0.01, log: true}
    head: [mean, max, {kind: cnn, filters: 8}]
    encoder.max_tokens: {kind: int, low: 16, high: 32, step: 8}
"""


def write_noisy_parts(folder: Path) -> Path:
    """Rows of which a sixth have a wrong label, so that parameters matter."""
    write_parts(folder, {"train": 180, "validation": 90, "test": 30}, LABELS)
    for split in ("train", "validation"):
        table = pl.read_parquet(folder / f"{split}.parquet").with_row_index("number")
        wrong = pl.col("number").mod(6) == 0
        other = pl.col("label").replace_strict({"negative": "neutral", "neutral": "positive", "positive": "negative"})
        table = table.with_columns(label=pl.when(wrong).then(other).otherwise("label")).drop("number")
        table.write_parquet(folder / f"{split}.parquet")
    return folder


def write_project(folder: Path, parts: Path) -> Path:
    """What the graph leaves, and DVC's folder; ``dvc.yaml`` has no stages that could be out of date."""
    shutil.copytree(parts, folder / "data/split")
    (folder / "reports").mkdir()
    columns = ("id", "split", "suggested", "action")
    pl.DataFrame(schema=dict.fromkeys(columns, pl.String)).write_parquet(folder / "reports/suspects.parquet")
    (folder / "params.yaml").write_text(PARAMETERS, encoding="utf-8")
    (folder / "search.yaml").write_text(SEARCHES, encoding="utf-8")
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    dataset = corpus.read_dataset(parts)
    corpus.encode(Ngrams(kind="ngrams", longest=2, min_rows=1), dataset, folder / "data/encoded/ngrams")
    corpus.encode(Tokens(kind="tokens", max_tokens=32), dataset, folder / "data/encoded/characters")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    place = tmp_path_factory.mktemp("prepared")
    return write_project(place / "project", write_noisy_parts(place / "parts"))


@pytest.fixture
def project(prepared, tmp_path, monkeypatch):
    """Such a project, which is the working directory."""
    folder = shutil.copytree(prepared, tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder


def environment() -> dict[str, str]:
    quiet = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DVC_NO_ANALYTICS": "1", "COLUMNS": "160"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    return kept | quiet | {"MLFLOW_DISABLE_TELEMETRY": "true"}


def start(project: Path, *arguments: str) -> subprocess.Popen:
    """``wenhuo`` with some arguments, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "wenhuo", *arguments], cwd=project, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def wenhuo(project: Path, *arguments: str, expect: int = 0) -> str:
    process = start(project, *arguments)
    said, _ = process.communicate(timeout=250)
    assert process.returncode == expect, said
    assert "Traceback" not in said, said
    return said
