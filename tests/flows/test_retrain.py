"""The flow against real DVC stages and a real Prefect server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from toy_project import EDGES, Run, Server, Toy, read_runs

from flows.children import alive
from wenhuo.graph import changed

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(make_toy: Callable[[], Toy], server: Server) -> tuple[Toy, Run]:
    """A toy that the flow has built, and that run."""
    toy = make_toy()
    toy.set(nap=2)
    return toy, server.retrain(toy, jobs=2)


def test_every_stage_runs_after_its_upstream_and_has_its_edges(built: tuple[Toy, Run]) -> None:
    toy, run = built
    assert run.state["type"] == "COMPLETED"
    assert run.states() == dict.fromkeys(EDGES, "Completed")
    assert run.edges() == EDGES
    for name, upstream in EDGES.items():
        assert all(run.tasks[name]["start_time"] >= run.tasks[one]["end_time"] for one in upstream)
    assert sorted(toy.ran()) == sorted(EDGES)


def test_independent_stages_run_side_by_side(built: tuple[Toy, Run]) -> None:
    _, run = built
    a, b = run.tasks["train@a"], run.tasks["train@b"]
    assert max(a["start_time"], b["start_time"]) < min(a["end_time"], b["end_time"])


def test_what_a_stage_writes_is_in_the_logs(built: tuple[Toy, Run]) -> None:
    _, run = built
    lines = run.logs("ingest", "✔")
    assert {"读完了", "aside"} <= set(lines)
    assert lines[0].startswith("▶")
    assert not [line for line in lines if "git add" in line]
    assert run.logs("train@a", "✔")[0] == "▶ Train a"


def test_the_lock_is_the_one_that_dvc_repro_leaves(built: tuple[Toy, Run], make_toy: Callable[[], Toy]) -> None:
    toy, _ = built
    other = make_toy()
    other.set(nap=2)
    other.dvc("repro")
    assert (other.root / "dvc.lock").read_bytes() == (toy.root / "dvc.lock").read_bytes()


def test_a_second_run_starts_no_process_but_for_what_always_runs(built: tuple[Toy, Run], server: Server) -> None:
    toy, _ = built
    toy.ran()
    lock = (toy.root / "dvc.lock").read_bytes()
    run = server.retrain(toy)
    assert toy.ran() == ["source"]
    assert run.states() == {"source": "Completed"} | dict.fromkeys(set(EDGES) - {"source"}, "Cached")
    assert {task["state"]["type"] for task in run.tasks.values()} == {"COMPLETED"}
    assert run.state["message"] == "1 stage run, 5 cached"
    assert (toy.root / "dvc.lock").read_bytes() == lock


def test_a_failed_stage_fails_what_depends_on_it_and_nothing_else(toy: Toy, server: Server) -> None:
    toy.set(broken="b")
    run = server.retrain(toy)
    assert run.states() == {
        "source": "Completed",
        "ingest": "Completed",
        "train@a": "Completed",
        "train@b": "Failed",
        "side": "Completed",
        "evaluate": "Not run",
    }
    assert run.tasks["train@b"]["state"]["message"] == "it broke"
    assert run.tasks["train@b"]["run_count"] == 1
    assert "train@b" in run.tasks["evaluate"]["state"]["message"]
    assert run.state["type"] == "FAILED"
    assert run.state["message"] == "train@b failed: it broke; not run: evaluate"
    assert "evaluate" not in toy.ran()
    assert not [line for line in run.logs("train@b", "✘") if "NoneType" in line or "Traceback" in line]


def test_only_meta_says_how_often_to_retry(toy: Toy, server: Server) -> None:
    (toy.root / "dvc.yaml").write_text(
        """\
stages:
  flaky: {cmd: test -e again && echo 1 > flaky || (touch again; exit 1), outs: [flaky], meta: {retries: 2}}
  broken: {cmd: echo broken >> ran; exit 1}
  after: {cmd: echo after >> ran, deps: [broken_out, flaky], meta: {retries: 2}}
  lost: {cmd: echo lost >> ran; exit 1, outs: [broken_out], meta: {retries: 1, retry_delay_seconds: 1}}
""",
        encoding="utf-8",
    )
    run = server.retrain(toy)
    counts = {name: task["run_count"] for name, task in run.tasks.items()}
    assert counts == {"flaky": 2, "broken": 1, "lost": 2, "after": 1}
    assert run.states() == {"flaky": "Completed", "broken": "Failed", "lost": "Failed", "after": "Not run"}
    assert sorted(toy.ran()) == ["broken", "lost", "lost"]


def test_a_target_is_built_with_its_upstream(toy: Toy, server: Server) -> None:
    run = server.retrain(toy, targets=["side"], jobs=1)
    assert set(run.tasks) == {"source", "ingest", "train@a", "side"}


def test_what_cannot_be_run_is_said_in_the_flow_run_s_state(toy: Toy, server: Server) -> None:
    with FileLock(toy.root / ".dvc" / "tmp" / "retrain.lock"):
        run = server.retrain(toy)
    assert (run.state["type"], run.tasks) == ("FAILED", {})
    assert run.state["message"].startswith("another retrain is at work in this project")
    assert server.retrain(toy, targets=["sied"]).state["message"].endswith("did you mean side?")


@pytest.mark.parametrize(("number", "group"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_signal_ends_every_process_and_harms_no_lock(toy: Toy, server: Server, number: int, group: bool) -> None:
    toy.set(nap=100)
    command = [sys.executable, "-m", "flows.retrain", "--root", str(toy.root)]
    process = subprocess.Popen(
        command,
        env=server.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    children: list[psutil.Process] = []
    while [child.name() for child in children].count("sleep") < 2:
        time.sleep(0.2)
        children = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if group else os.kill)(process.pid, number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert not [child for child in children if alive(child)]
    assert {"train@a", "train@b", "evaluate"} <= changed(toy.root)


def test_lines_arrive_while_the_stage_runs(toy: Toy, server: Server) -> None:
    toy.set(nap=100)
    before = len(read_runs(server.url))
    command = [sys.executable, "-m", "flows.retrain", "--root", str(toy.root), "--target", "train@a"]
    process = subprocess.Popen(command, env=server.environment(), stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        while not (runs := read_runs(server.url, before)) or "train@a" not in runs[0].tasks:
            time.sleep(0.5)
        assert "begins" in runs[0].logs("train@a", "begins")
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--jobs", "0"], 2, "must be a whole number"),
        (["--job", "x", "--wrong"], 2, "usage"),
        (["--target", "sied"], 1, "did you mean side?"),
        (["--root", "/"], 1, "no DVC repository"),
    ],
)
def test_wrong_use_is_one_clear_error(toy: Toy, arguments: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "flows.retrain", "--root", str(toy.root), *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_away_is_named(toy: Toy, server: Server) -> None:
    command = [sys.executable, "-m", "flows.retrain", "--root", str(toy.root)]
    away = server.environment() | {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = subprocess.run(command, cwd=REPOSITORY, env=away, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Prefect at http://127.0.0.1:9/api does not answer")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.slow
def test_it_needs_no_server_and_leaves_none(toy: Toy) -> None:
    command = [sys.executable, "-m", "flows.retrain", "--root", str(toy.root)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    for wanted in ("6 stages run, 0 cached", "1 stage run, 5 cached"):
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "retrain: with a temporary Prefect server"
        assert wanted in done.stdout.splitlines()[-1]
        assert not done.stderr
    assert not list((toy.root / ".prefect").glob("temporary*"))
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(toy.root) in " ".join(p.info["cmdline"] or [])]
