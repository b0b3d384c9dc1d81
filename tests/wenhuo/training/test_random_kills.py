"""Killed at ten and more random moments and resumed, a training ends with the bytes of an undisturbed one."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wenhuo.training.killing import KINDS, SAVING, VALIDATING, WRITING

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_killed_at_random_moments_and_resumed_equals_undisturbed(tokens, tmp_path):
    seed = int(os.environ.get("WENHUO_KILLS_SEED", random.randrange(10**6)))
    print(f"WENHUO_KILLS_SEED={seed} draws these moments again")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.wenhuo.training.killing", tokens, tmp_path, str(seed)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    print(found)
    assert found["differing"] == []
    assert sum(found["kills"].values()) >= 10
    assert found["kills"][SAVING] >= 3
    assert found["kills"][VALIDATING] >= 3
    assert found["kills"][WRITING] >= 1
    assert {"curves.csv", "model/head.safetensors", "model/before.json"} <= set(found["files"]["plain"])
    assert set(found["files"]) == set(KINDS)
