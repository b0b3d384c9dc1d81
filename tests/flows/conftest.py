"""A toy project that DVC runs in seconds, and one Prefect server for all tests of a session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import flows.server
from flows.environment import child_environment, prepare
from flows.server import ask, temporary
from flows.services import free_port

REPOSITORY = Path(__file__).resolve().parents[2]

GRAPH = """\
stages:
  source:
    desc: Look at the source
    cmd: echo source >> ran; cat given > seen
    always_changed: true
    deps: [given]
    outs: [seen]
  ingest:
    cmd: echo ingest >> ran; cat seen > corpus; echo 读完了; echo aside >&2
    deps: [seen]
    outs: [corpus]
  train:
    foreach: ${candidates}
    do:
      desc: Train ${key}
      cmd: >-
        echo train@${key} >> ran; echo begins; sleep ${nap};
        if test ${break} = ${key}; then echo error: it broke; exit 3; fi;
        cat corpus > model_${key}
      params: ["candidates.${key}"]
      deps: [corpus]
      outs: ["model_${key}"]
  side:
    cmd: echo side >> ran; cat model_a > aside
    deps: [model_a]
    outs: [aside]
  evaluate:
    cmd: echo evaluate >> ran; cat model_a model_b > measured
    deps: [model_a, model_b]
    outs: [measured]
"""
PARAMETERS = "nap: {nap}\nbreak: {broken}\ncandidates: {{a: 1, b: 2}}\n"


@dataclass
class Toy:
    """A project in a temporary folder whose stages note their names in the file ``ran``."""

    root: Path

    def set(self, nap: float = 0, broken: str = "none") -> None:
        (self.root / "params.yaml").write_text(PARAMETERS.format(nap=nap, broken=broken), encoding="utf-8")

    def ran(self) -> list[str]:
        """The stages whose commands ran since the last call."""
        file = self.root / "ran"
        names = file.read_text(encoding="utf-8").split() if file.exists() else []
        file.unlink(missing_ok=True)
        return names

    def dvc(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "dvc", *arguments]
        subprocess.run(command, cwd=self.root, env=child_environment("none"), check=True, capture_output=True)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    toy = Toy(root)
    toy.dvc("init", "-q")
    toy.set()
    (root / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    (root / "given").write_text("一\n", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def make_toy(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Toy]:
    return lambda: Toy(shutil.copytree(template, tmp_path_factory.mktemp("toy") / "项目 一"))


@pytest.fixture
def toy(make_toy: Callable[[], Toy]) -> Toy:
    return make_toy()


@dataclass
class Run:
    """A flow run as Prefect's API tells it."""

    url: str
    state: dict[str, Any]
    id: str
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)

    def states(self) -> dict[str, str]:
        return {name: task["state"]["name"] for name, task in self.tasks.items()}

    def edges(self) -> dict[str, set[str]]:
        names = {task["id"]: name for name, task in self.tasks.items()}
        upstream = {name: task["task_inputs"].get("wait_for", []) for name, task in self.tasks.items()}
        return {name: {names[one["id"]] for one in inputs} for name, inputs in upstream.items()}

    def logs(self, task: str, until: str) -> list[str]:
        """A task run's log lines; they arrive some seconds late, so wait for one."""
        query = {"logs": {"task_run_id": {"any_": [self.tasks[task]["id"]]}}, "sort": "TIMESTAMP_ASC"}
        for _ in range(60):
            lines = [line["message"] for line in ask(self.url, "logs/filter", query, "POST") or []]
            if any(until in line for line in lines):
                return lines
            time.sleep(0.5)
        raise AssertionError(f"{until!r} is not in the logs of {task}: {lines}")


def read_runs(url: str, since: int = 0) -> list[Run]:
    """All flow runs that have begun, oldest first."""
    query = {"sort": "START_TIME_ASC", "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED", "PENDING"]}}}}
    runs = [Run(url, run["state"], run["id"]) for run in ask(url, "flow_runs/filter", query, "POST")]
    for run in runs[since:]:
        found = ask(url, "task_runs/filter", {"flow_runs": {"id": {"any_": [run.id]}}}, "POST")
        run.tasks = {task["name"]: task for task in found}
    return runs[since:]


@dataclass
class Server:
    """The session's Prefect server."""

    url: str
    home: Path

    def retrain(self, toy: Toy, **parameters: Any) -> Run:
        """Run the flow in this process, and what the server knows of it once it knows of its end."""
        from flows.retrain import retrain

        before = len(read_runs(self.url))
        retrain(root=str(toy.root), return_state=True, **parameters)
        for _ in range(60):  # task runs are recorded a moment later
            run = read_runs(self.url, before)[0]
            if all(task["state"]["type"] not in ("RUNNING", "PENDING") for task in run.tasks.values()):
                break
            time.sleep(0.25)
        return run

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        return os.environ | {"PREFECT_API_URL": f"{self.url}/api", "PREFECT_HOME": str(self.home), "PYTHONPATH": path}


@pytest.fixture(scope="session", autouse=True)
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the server will be, if a test asks for it: Prefect reads this when it is imported."""
    flows.server.TEMPORARY_PORT = free_port(flows.server.TEMPORARY_PORT)
    url = f"http://127.0.0.1:{flows.server.TEMPORARY_PORT}"
    prepare(tmp_path_factory.mktemp("prefect"), PREFECT_API_URL=f"{url}/api")
    return url


@pytest.fixture(scope="session")
def server(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("server")
    assert temporary(root) == address
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    with temporary_settings({PREFECT_API_URL: f"{address}/api", PREFECT_HOME: root / "home"}):
        yield Server(address, root / "home")
