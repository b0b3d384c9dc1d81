"""Which stages run, and how: one process of DVC's each. Knows Prefect as little as the stages' names."""

from __future__ import annotations

import enum
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from flows.children import Children, StoppedError
from wenhuo.errors import GraphError
from wenhuo.graph import Stage, changed, lock_entry, stages

UNSAID = (
    "Running stage '",
    "Generating lock file '",
    "Updating lock file '",
    "To track the changes with git, run:",
    "\tgit add ",
    "To enable auto staging, run:",
    "\tdvc config core.autostage",
    "Use `dvc push` to send your updates to remote storage.",
)
"""How lines begin that DVC writes around each stage for a person at its own prompt."""

MARK = "│ "
"""Stands before the lines that a stage writes."""


class Outcome(enum.Enum):
    """What became of a stage."""

    CACHED = "cached"
    RUN = "run"  # its outputs are new
    SAME = "run, outputs as before"
    FAILED = "failed"
    SKIPPED = "not run"  # a stage upstream failed
    STOPPED = "stopped"


@dataclass(frozen=True)
class Ending:
    """A stage's outcome, the reason when it is none of the good ones, and the seconds its process took."""

    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0


@dataclass
class Execution:
    """One pass over the graph.

    Attributes:
        root: the project's folder.
        graph: the stages to look at by addressing, each after its upstream.
        stale: the addressings that DVC called changed before anything ran.
        environment: what the stages' processes get.
        slots: as many as stages may run side by side.
        children: their processes.
        endings: what became of the stages so far.
    """

    root: Path
    graph: Mapping[str, Stage]
    stale: set[str]
    environment: Mapping[str, str]
    slots: threading.Semaphore
    children: Children = field(default_factory=Children)
    endings: dict[str, Ending] = field(default_factory=dict)

    def carry_out(self, stage: Stage, tell: Callable[[str], None]) -> Ending:
        """Run a stage, whose upstream has ended, if it must run and can.

        Args:
            stage: one of ``graph``.
            tell: is called with a line when the stage starts and with each line of its output, marked by ``│``.
        """
        broken = [name for name in stage.upstream if not self._went_well(name)]
        if broken:
            ending = Ending(Outcome.SKIPPED, f"{', '.join(broken)} {'was' if len(broken) == 1 else 'were'} not built")
        elif self.children.stopping.is_set():
            ending = Ending(Outcome.STOPPED, "the flow run was stopped")
        elif not self._must_run(stage):
            ending = Ending(Outcome.CACHED)
        else:
            ending = self._run(stage, tell)
        self.endings[stage.addressing] = ending
        return ending

    def _went_well(self, addressing: str) -> bool:
        ending = self.endings.get(addressing)
        return ending is not None and ending.outcome in (Outcome.CACHED, Outcome.RUN, Outcome.SAME)

    def _must_run(self, stage: Stage) -> bool:
        """Whether DVC would run the stage now; asked anew only where something upstream has moved since the start."""
        upstream = {self.endings[name].outcome for name in stage.upstream}
        stale = stage.addressing in self.stale
        # one that seemed stale may be so no more: a lost output is back
        if not upstream & ({Outcome.RUN, Outcome.SAME} if stale else {Outcome.RUN}):
            return stale
        try:
            return stage.addressing in changed(self.root, [stage.addressing])
        except GraphError:  # DVC itself will say what is wrong, in the stage's log
            return True

    def _run(self, stage: Stage, tell: Callable[[str], None]) -> Ending:
        with self.slots:
            tail: deque[str] = deque(maxlen=50)
            tell(f"▶ {stage.desc or stage.name}")
            before, began = self._outputs(stage), time.monotonic()
            try:
                code = self.children.run(
                    [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", stage.addressing],
                    cwd=self.root,
                    env=self.environment,
                    hear=lambda line: _pass_on(line, tail, tell),
                )
            except StoppedError:
                return Ending(Outcome.STOPPED, "the flow run was stopped")
            seconds = time.monotonic() - began
            if self.children.stopping.is_set() and code:
                return Ending(Outcome.STOPPED, "the flow run was stopped", seconds)
            if code:
                return Ending(Outcome.FAILED, _reason(tail, code), seconds)
            same = before is not None and before == self._outputs(stage)
            return Ending(Outcome.SAME if same else Outcome.RUN, "", seconds)

    def _outputs(self, stage: Stage) -> Any:
        try:
            return lock_entry(self.root, stage.addressing).get("outs", [])
        except GraphError:
            return None


def select(graph: list[Stage], targets: Iterable[str]) -> dict[str, Stage]:
    """The targets and all they depend on; all stages when there are none.

    Args:
        graph: every stage, each after its upstream.
        targets: addressings, or the name of a stage for all its instances.

    Raises:
        GraphError: no stage has such a name.
    """
    by_name = {stage.addressing: stage for stage in graph}
    wanted: set[str] = set() if targets else set(by_name)
    for target in targets:
        found = {stage.addressing for stage in graph if target in (stage.addressing, stage.name)}
        if not found:
            close = get_close_matches(target, by_name, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the stages are {', '.join(by_name)}"
            raise GraphError(f"there is no stage {target}", hint)
        wanted |= found
    for stage in reversed(graph):
        if stage.addressing in wanted:
            wanted.update(stage.upstream)
    return {name: stage for name, stage in by_name.items() if name in wanted}


def prepare(root: Path, targets: Iterable[str], jobs: int, environment: Mapping[str, str]) -> Execution:
    """Read the graph and ask DVC what has changed.

    Raises:
        GraphError: the graph cannot be read, a target is unknown, or another DVC process stays at work.
    """
    graph = select(stages(root), list(targets))
    return Execution(root, graph, changed(root), environment, threading.Semaphore(jobs))


def _pass_on(line: str, tail: deque[str], tell: Callable[[str], None]) -> None:
    if not line.startswith(UNSAID):
        tail.append(line)
        tell(f"{MARK}{line}")


def _reason(tail: Iterable[str], code: int) -> str:
    """The last error that the stage named, else the last that DVC did."""
    lines = list(tail)
    for start in ("error: ", "ERROR: "):
        for line in reversed(lines):
            if line.startswith(start):
                return line.removeprefix(start)
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with exit code {code}"
