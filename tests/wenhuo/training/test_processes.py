"""Two processes learn what one does, and are killed, stopped, frozen and resumed. The processes are real."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wenhuo.training.conftest import digest, options
from tests.wenhuo.training.several import train_all
from wenhuo import Classifier
from wenhuo.encoding import corpus
from wenhuo.encoding.store import EncodedRows
from wenhuo.training import dividing, history, processes

ROOT = Path(__file__).resolve().parents[3]
SAME = {"dropout": 0.0, "precision": "float32", "epochs": 2, "log_steps": 1}
LONG = {"a": {"epochs": 12, "patience": 12, "dropout": 0.1, "checkpoint_seconds": 0}}
RICH = {"layers": 2, "objective": {"class_weights": "balanced", "r_drop": 0.5, "fgm": 0.05}, "tokens_at_once": 100}
ZERO = {"class_weights": {"negative": 1, "neutral": 0, "positive": 1}}


def dumped(chosen: dict[str, dict]) -> dict[str, dict]:
    return {name: options(**SAME | more).model_dump(mode="json") for name, more in chosen.items()}


def start(encoded: Path, folder: Path, chosen: dict[str, dict], devices: int = 2, launcher=(), **more):
    asked = {"encoded": str(encoded), "folder": str(folder), "chosen": dumped(chosen), "devices": devices}
    asked |= {"patience": 60, "fault": None, "number": 10} | more
    command = [sys.executable, *launcher, "-m", "tests.wenhuo.training.several", json.dumps(asked)]
    told = {"cwd": ROOT, "env": os.environ | {"OMP_NUM_THREADS": "1"}, "text": True}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **told)


def end(process: subprocess.Popen, code: int = 0) -> tuple[list[str], str]:
    """What a program said that must have ended with a code: its lines, and its errors."""
    lines, errors = process.communicate(timeout=250)
    assert process.returncode == code, errors
    return lines.splitlines(), errors


def workers(process: subprocess.Popen) -> list[psutil.Process]:
    return sorted(psutil.Process(process.pid).children(), key=lambda child: child.environ()["RANK"])


def wait_for(condition, seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def saved(folder: Path, number: int = 3):
    """Whether the checkpoint of the so-manieth step, or a later one, is complete."""
    return lambda: any(int(path.name[5:]) >= number for path in (folder / "a" / "checkpoints").glob("step-*"))


def assert_same(one: Path, two: Path, parts: Path) -> None:
    expected, found = (history.read(folder / "curves.csv") for folder in (one, two))
    assert [(p.step, p.epoch, p.metric) for p in found] == [(p.step, p.epoch, p.metric) for p in expected]
    assert [p.value for p in found] == pytest.approx([p.value for p in expected], abs=1e-4)
    texts = corpus.read_dataset(parts).texts("test")
    first, second = (Classifier.load(folder / "model").probabilities(texts) for folder in (one, two))
    assert np.allclose(first, second, atol=1e-3)
    assert (first.argmax(1) == second.argmax(1)).all()


def compare(tokens: Path, parts: Path, folder: Path, chosen: dict[str, dict], **more) -> None:
    running = start(tokens, folder / "two", chosen, **more)
    train_all(tokens, folder / "one", dumped(chosen))
    lines, errors = end(running)
    assert len([line for line in lines if line.startswith("epoch 1")]) == len(chosen), "the first one alone speaks"
    assert "error" not in errors
    for name in chosen:
        assert_same(folder / "one" / name, folder / "two" / name, parts)


def test_two_processes_of_torchrun_learn_what_one_does(tokens, parts, tmp_path):
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    compare(tokens, parts, tmp_path, {"plain": {}, "sharded": {"parallel": "fsdp"} | RICH}, launcher=torchrun)


CANDIDATES = {
    "rich": RICH | {"batch_size": 5, "head": "cnn"},
    "nothing counts": {"objective": ZERO, "batch_size": 3, "epochs": 1},
    "fewer rows than processes": {"batch_size": 1, "epochs": 1},
    "tokens": {"batch_size": None, "batch_tokens": 90, "optimizer": "sgd", "learning_rate": 0.05},
    "adafactor": {"optimizer": "adafactor", "objective": {"focal": 2.0, "label_smoothing": 0.1}},
    "adalora": {"tune": {"kind": "adalora", "start_rank": 4, "rank": 2}},
    "lora": {"tune": {"kind": "lora", "rank": 2, "merge": True}},
    "ia3": {"tune": "ia3", "head": "mix"},
    "bitfit": {"tune": "bitfit", "layer_decay": 0.8, "layers": 2},
    "last": {"tune": {"kind": "last", "layers": 1}, "layers": 2, "gradient_checkpointing": True},
    "head": {"tune": "head"},
    "head of tokens": {"tune": "head", "head": "attention"},
}
NOT_SHARDED = {"adafactor", "adalora", "head", "head of tokens"}
SHARDED = {f"{name}, sharded": CANDIDATES[name] | {"parallel": "fsdp"} for name in CANDIDATES.keys() - NOT_SHARDED}


@pytest.mark.slow
def test_whatever_is_chosen_two_processes_learn_what_one_does(tokens, parts, tmp_path):
    compare(tokens, parts, tmp_path, CANDIDATES | SHARDED)


@pytest.mark.slow
def test_long_texts_in_windows(parts, tmp_path):
    from wenhuo.encoding.options import Tokens

    encoded = tmp_path / "windows"
    chosen = Tokens(kind="tokens", max_tokens=12, keep="windows", stride=6)
    corpus.encode_tokens(chosen, corpus.read_dataset(parts), encoded)
    compare(encoded, parts, tmp_path, {"plain": {}, "head": {"tune": "head"}, "sharded": {"parallel": "fsdp"}})


@pytest.mark.slow
def test_killed_stopped_and_resumed_equals_undisturbed(tokens, tmp_path):
    folder = tmp_path / "broken"
    broken = start(tokens, folder, LONG)
    wait_for(saved(folder))
    workers(broken)[1].kill()
    _, errors = end(broken, 1)
    assert "process 2 of 2 was ended by SIGKILL" in errors
    broken = start(tokens, folder, LONG)
    wait_for(saved(folder, 60))
    workers(broken)[1].terminate()  # one of them alone: all must save and end
    lines, errors = end(broken, 1)
    assert any(line.startswith("going on from the checkpoint at step") for line in lines)
    assert errors.count("a checkpoint is saved") == 1
    for name in ("broken", "whole"):
        end(start(tokens, tmp_path / name, LONG))
    assert digest(tmp_path / "whole" / "a" / "model") == digest(folder / "a" / "model")
    assert (tmp_path / "whole" / "a" / "curves.csv").read_bytes() == (folder / "a" / "curves.csv").read_bytes()


@pytest.mark.slow
def test_a_sharded_checkpoint_of_two_goes_on_in_one_and_in_three(tokens, parts, tmp_path):
    chosen = {"a": {"epochs": 3, "patience": 3, "checkpoint_seconds": 0, "layers": 2, "parallel": "fsdp"}}
    end(start(tokens, tmp_path / "one", chosen, fault="SIGKILL", number=20), 1)
    assert saved(tmp_path / "one", 19)()
    shutil.copytree(tmp_path / "one", tmp_path / "three")
    running = start(tokens, tmp_path / "three", chosen, devices=3)
    for name in ("one", "whole"):
        train_all(tokens, tmp_path / name, dumped(chosen))
    end(running)
    for name in ("one", "three"):
        assert_same(tmp_path / "whole" / "a", tmp_path / name / "a", parts)


@pytest.mark.slow
def test_sigterm_saves_and_ends_all(tokens, tmp_path):
    running = start(tokens, tmp_path, LONG)
    wait_for(saved(tmp_path))
    family = workers(running)
    running.terminate()
    _, errors = end(running, 1)
    assert errors.count("a checkpoint is saved") == 1
    assert "Traceback" not in errors
    assert not any(member.is_running() for member in family)


@pytest.mark.slow
def test_no_process_outlives_the_one_who_started_it(tokens, tmp_path):
    running = start(tokens, tmp_path, LONG)
    wait_for(saved(tmp_path))
    family = workers(running)
    addresses = {at.laddr.ip for member in family for at in member.net_connections() if at.status == "LISTEN"}
    assert addresses == {"127.0.0.1"}
    running.kill()
    wait_for(lambda: not any(member.is_running() for member in family), 10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("SIGSTOP", "another process of this training does not answer"),
        ("seed", "the processes do not have the same data, parameters and torch"),
    ],
)
def test_a_frozen_or_a_different_process_is_a_clear_error(tokens, tmp_path, fault, said):
    _, errors = end(start(tokens, tmp_path, LONG, fault=fault, patience=5), 1)
    assert errors.count(said) == 1
    assert "Traceback" not in errors


@pytest.mark.slow
def test_memory_that_runs_out_in_one_process_is_halved_in_all(tokens, parts, tmp_path):
    chosen = {"plain": {}, "rich": RICH | {"tokens_at_once": None}}
    running = start(tokens, tmp_path / "two", chosen, fault="memory")
    train_all(tokens, tmp_path / "one", dumped(chosen))
    lines, _ = end(running)
    assert any(line.startswith("out of memory") for line in lines)
    for name in chosen:
        assert_same(tmp_path / "one" / name, tmp_path / "two" / name, parts)


@given(costs=st.lists(st.integers(1, 50), max_size=40), parts=st.integers(1, 6))
def test_shares_are_neighbours_cover_all_and_are_about_equal(costs, parts):
    cuts = processes.shares(np.array(costs, dtype=np.int64), parts)
    assert len(cuts) == parts
    assert [item for cut in cuts for item in costs[cut]] == costs
    if costs:
        assert max(sum(costs[cut]) for cut in cuts) <= sum(costs) / parts + max(costs)


def test_a_block_of_rows_is_what_these_rows_are():
    rows = EncodedRows(
        np.arange(4, dtype=np.int32),
        np.array([0, 2, 3, 6, 7, 9]),
        np.arange(9, dtype=np.int32),
        texts=np.array([0, 1, 3, 4, 5]),
    )
    part = dividing.block(rows, slice(1, 3))
    assert part.labels.tolist() == [1, 2]
    assert [part.row(i).tolist() for i in range(3)] == [[2], [3, 4, 5], [6]]
    assert part.lengths.tolist() == [4, 1]
    assert len(dividing.block(rows, slice(2, 2))) == 0


@pytest.mark.parametrize("more", [{"tune": "head"}, {"tune": {"kind": "adalora"}}, {"optimizer": "adafactor"}])
def test_what_cannot_be_sharded_is_refused_with_the_parameters(more):
    with pytest.raises(ValueError, match="parallel: fsdp does not go with"):
        options(parallel="fsdp", **more)


def test_one_process_is_left_alone():
    assert (processes.size(), processes.rank(), processes.first()) == (1, 0, True)
    assert processes.total(1.5, 2.5) == [1.5, 2.5]
    assert processes.any_of(True, False) == [True, False]
    assert processes.gather("x") == ["x"]
    assert processes.from_first(lambda: 3) == 3
