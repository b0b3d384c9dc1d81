"""A toy project that DVC runs in seconds, and what a Prefect server says of the runs of its graph."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.environment import child_environment
from flows.server import ask

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
EDGES: dict[str, set[str]] = {
    "source": set(),
    "ingest": {"source"},
    "train@a": {"ingest"},
    "train@b": {"ingest"},
    "side": {"train@a"},
    "evaluate": {"train@a", "train@b"},
}
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
            lines = [line["message"] for line in insist(self.url, "logs/filter", query)]
            if any(until in line for line in lines):
                return lines
            time.sleep(0.5)
        raise AssertionError(f"{until!r} is not in the logs of {task}: {lines}")


def insist(url: str, path: str, query: dict[str, Any]) -> Any:
    """What the server answers, which takes it a while when the machine is busy."""
    for _ in range(60):
        if (answer := ask(url, path, query, "POST")) is not None:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"{url}/{path} does not answer")


def read_runs(url: str, since: int = 0) -> list[Run]:
    """All flow runs that have begun, oldest first."""
    query = {"sort": "START_TIME_ASC", "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED", "PENDING"]}}}}
    runs = [Run(url, run["state"], run["id"]) for run in insist(url, "flow_runs/filter", query)]
    for run in runs[since:]:
        found = insist(url, "task_runs/filter", {"flow_runs": {"id": {"any_": [run.id]}}})
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
        for _ in range(240):  # task runs are recorded a moment later
            run = read_runs(self.url, before)[0]
            if all(task["state"]["type"] not in ("RUNNING", "PENDING") for task in run.tasks.values()):
                break
            time.sleep(0.25)
        return run

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        return os.environ | {"PREFECT_API_URL": f"{self.url}/api", "PREFECT_HOME": str(self.home), "PYTHONPATH": path}
