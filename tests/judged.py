"""A project whose models were trained and measured, for tests of what comes after: the gate, and the way back."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from tasks import register
from tests.conftest import BAD, GOOD, NEUTRAL, write_parts
from wenhuo import lineage
from wenhuo.files import read_json, write_json
from wenhuo.gate import decisions
from wenhuo.gate.options import Floors, Limits
from wenhuo.lineage import Identity
from wenhuo.tracking import runs, store

NAME = "wenhuo-made"
EASY = {"floors": Floors(class_f1=0), "limits": Limits(calibration_error=None)}


def key_of(folder: Path) -> str:
    return hashlib.sha256((folder / "linear.safetensors").read_bytes()).hexdigest()


def identity(stage: str, root: Path = Path()) -> Identity:
    """Stands for dvc.lock: the key of a model is the hash of its weights."""
    return Identity(stage, key_of(root / "models" / stage.partition("@")[2]))


@pytest.fixture(scope="session", name="template")
def judged_template(tmp_path_factory, linear_model):
    """A folder in which `good`, `fair` and `bad` were trained and measured: three states of one linear model."""
    root = tmp_path_factory.mktemp("template")
    write_parts(root / "parts", {"train": 6, "validation": 60, "test": 300}, {"a": BAD, "b": NEUTRAL, "c": GOOD})
    tests = pl.read_parquet(root / "parts/test.parquet")
    named = pl.col("label").replace(dict(zip("abc", LABELS, strict=True)))
    tests.with_columns(named).write_parquet(root / "parts/test.parquet")
    write_json(root / "parts/dataset.json", read_json(root / "parts/dataset.json") | {"labels": LABELS})
    write_json(root / "reports/validation.json", {"errors": 0, "warnings": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        client, draw = store.connect(root), np.random.default_rng(13)
    for name, noise in {"good": 0.0, "fair": FAIR, "bad": 30.0}.items():
        folder = Path(shutil.copytree(linear_model, root / "models" / name))
        arrays = load_file(folder / "linear.safetensors")
        noisy = arrays["weights"] + noise * draw.standard_normal(arrays["weights"].shape).astype(np.float32)
        save_file(arrays | {"weights": noisy.astype(arrays["weights"].dtype)}, folder / "linear.safetensors")
        runs.open_run(client, Identity(f"train@{name}", key_of(folder)), name, {})
    return root


@pytest.fixture(name="project")
def judged_project(template, tmp_path, monkeypatch):
    """A copy of it, with a store of its own."""
    root = Path(shutil.copytree(template, tmp_path / "project"))
    monkeypatch.chdir(root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(lineage, "identify_made", identity)
    return store.connect()


FAIR = 0.8
LABELS = ["negative", "neutral", "positive"]


def run(winner: str, candidates=(), **gate):
    """Run the stage with a winner; what registration.json says then."""
    figures = {"validation": {"macro_f1": 0.9}, "test": {"macro_f1": 0.9}}
    write_json(Path("metrics.json"), {"winner": winner, "candidates": dict.fromkeys([winner, *candidates], figures)})
    paths = {"metrics": "metrics.json", "models": "models", "parts": "parts", "winner": "reports/winner.json"}
    paths["validation"] = "reports/validation.json"
    register.run(register.Params(**(EASY | gate)), **{name: Path(path) for name, path in paths.items()})
    return read_json(register.REGISTRATION)


def chain():
    found = decisions.read(Path("reports"))
    assert found.broken == found.torn == []
    return found
