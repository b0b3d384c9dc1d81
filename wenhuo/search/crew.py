"""The worker processes of a search: started with their share of the cores, ended together, replaced when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import wenhuo
from wenhuo.errors import DataError, ModelError, SettingsError, SourceError, WenhuoError
from wenhuo.files import read_json, write_json
from wenhuo.search import studies
from wenhuo.search.project import Plan

SECONDS_TO_END = 120
"""For a worker that was asked to end and saves a checkpoint; then it is killed."""
STOPPED = 130
"""Exit code of a worker that a signal ended."""
DEATHS = 3
"""Workers that may be killed while they hold no trial; one that holds a trial is counted by the trial."""
MISTAKE = "mistake.json"


@dataclass
class Crew:
    """The workers of one study.

    Attributes:
        root: the project's folder.
        plan: of the study.
        wanted: trials in all.
        run_id: of the search's run in MLflow.
        workers: how many, side by side.
        stopped: somebody ended a worker by a signal.
    """

    root: Path
    plan: Plan
    wanted: int
    run_id: str
    workers: int
    stopped: bool = False
    _processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    _deaths: int = 0

    def __enter__(self) -> Crew:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / MISTAKE).unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def _folder(self) -> Path:
        return self.root / self.plan.folder

    def start(self) -> None:
        """Start them."""
        for place in range(self.workers):
            self._start(place)

    def at_work(self) -> bool:
        """Whether any is at work; one that was killed is replaced, its trial marked.

        Raises:
            WenhuoError: one has met a mistake that others would meet as well.
        """
        for place, process in list(self._processes.items()):
            code = process.poll()
            if code is None:
                continue
            del self._processes[place]
            if code == STOPPED:
                self.stopped = True
            elif code < 0:
                self._replace(place, code)
            elif code > 0:
                raise self._mistake(place)
        return bool(self._processes) and not self.stopped

    def end(self) -> None:
        """Ask those at work to end, and wait until they have."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _start(self, place: int) -> None:
        command = [sys.executable, "-m", "wenhuo", "search", "work", self.plan.name, "--trials", str(self.wanted)]
        command += ["--study", self.plan.key, "--run", self.run_id]
        with self._log(place).open("ab") as log:
            self._processes[place] = subprocess.Popen(
                command,
                cwd=self.root,
                env=environment(place, self.workers, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl+C reaches them through this process alone, and once
            )

    def _log(self, place: int) -> Path:
        return self._folder / f"worker-{place + 1}.log"

    def _replace(self, place: int, code: int) -> None:
        if not studies.reclaim(self.root, studies.find(self.root, self.plan), self.plan):
            self._deaths += 1
        if self._deaths == DEATHS:
            name = signal.Signals(-code).name
            raise DataError(f"workers are being killed ({name})", f"see {self._log(place)}; memory may be too small")
        self._start(place)

    def _mistake(self, place: int) -> WenhuoError:
        file = self._folder / MISTAKE
        if not file.exists():
            return WenhuoError("a worker broke off", f"see the end of {self._log(place)}")
        said = read_json(file)
        kinds: dict[str, type[WenhuoError]] = {
            k.__name__: k for k in (DataError, ModelError, SettingsError, SourceError)
        }
        return kinds.get(said["kind"], WenhuoError)(said["what"], said["hint"])


def write_mistake(folder: Path, error: WenhuoError) -> None:
    """Leave a worker's error where :class:`Crew` finds it."""
    write_json(folder / MISTAKE, {"kind": type(error).__name__, "what": error.what, "hint": error.hint})


def environment(place: int, workers: int, given: Mapping[str, str]) -> dict[str, str]:
    """A worker's environment: this code, its share of the cores, and one of the GPUs that are named.

    Two workers with a thread for each core would wait for each other (20 times slower); one has them all, as in
    ``dvc repro``. What a person has set stays.
    """
    here = str(Path(wenhuo.__file__).parents[1])
    made = dict(given) | {"PYTHONPATH": os.pathsep.join(filter(None, [here, given.get("PYTHONPATH")]))}
    if workers > 1:
        made.setdefault("OMP_NUM_THREADS", str(max(1, _cores() // workers)))
    gpus = [gpu for gpu in given.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    if len(gpus) > 1:
        made["CUDA_VISIBLE_DEVICES"] = gpus[place % len(gpus)]
    return made


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
