"""Two processes learn what one does; killed, stopped and resumed; real processes that torchrun starts."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.wenhuo.training.conftest import digest, options
from tests.wenhuo.training.several import train_all
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.training import history

ROOT = Path(__file__).resolve().parents[3]
SAME = {"dropout": 0.0, "precision": "float32", "epochs": 3, "log_steps": 1}


def dumped(chosen: dict[str, dict]) -> dict[str, dict]:
    return {name: options(**SAME | more).model_dump(mode="json") for name, more in chosen.items()}


def start(encoded: Path, folder: Path, chosen: dict[str, dict], count: int = 2, patience: float = 60):
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    program = ["-m", "tests.wenhuo.training.several", encoded, folder, json.dumps(dumped(chosen)), patience]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, *map(str, program)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen, seconds: float = 200) -> None:
    _, said = process.communicate(timeout=seconds)
    assert process.returncode == 0, said


def assert_same(one: Path, two: Path, parts: Path) -> None:
    expected, found = (history.read(folder / "curves.csv") for folder in (one, two))
    assert [(p.step, p.epoch, p.metric) for p in found] == [(p.step, p.epoch, p.metric) for p in expected]
    assert [p.value for p in found] == pytest.approx([p.value for p in expected], abs=1e-4)
    texts = corpus.read_dataset(parts).texts("test")
    first, second = (Classifier.load(folder / "model").probabilities(texts) for folder in (one, two))
    assert np.allclose(first, second, atol=1e-3)
    assert (first.argmax(1) == second.argmax(1)).all()


def compare(tokens, parts, tmp_path, chosen):
    running = start(tokens, tmp_path / "two", chosen)
    train_all(tokens, tmp_path / "one", dumped(chosen), 60)
    finish(running)
    for name in chosen:
        assert_same(tmp_path / "one" / name, tmp_path / "two" / name, parts)
