"""Processes that a flow starts: their lines are passed on as they come, and none of them outlives the flow.

Each is a ``dvc repro`` of one stage, the leader of a process group in which the stage's own processes are. To stop it,
TERM goes to those: DVC then sees its stage fail and lets go of its locks. Killed at that moment DVC may leave
``.dvc/tmp/rwlock`` half written, after which no DVC command works any more.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

GRACE = 20.0
"""Seconds between TERM and KILL: enough to save a checkpoint, less than the 30 s that a Prefect worker allows."""


class StoppedError(Exception):
    """No process may be started any more, because the flow is being stopped."""


class Children:
    """The processes of one flow run, each the leader of a process group."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._running: set[int] = set()
        self._lock = threading.RLock()  # a signal's handler may stop while the main thread does

    def run(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], hear: Callable[[str], None]) -> int:
        """Run a command to its end and return its exit code, negative for a signal.

        When only the leader was killed, what it started is ended too: a retry must not meet a second writer.

        Args:
            command: the program and its arguments.
            cwd: where it runs.
            env: its whole environment.
            hear: is called with each line of its standard output and error, from another thread.

        Raises:
            StoppedError: ``stop`` was called.
        """
        process = self._start(command, cwd, env)
        listener = threading.Thread(target=_listen, args=(process, hear), daemon=True)
        listener.start()
        try:
            return process.wait()
        finally:
            end(family(process.pid), GRACE)
            listener.join(timeout=5)
            with self._lock:
                self._running.discard(process.pid)

    def stop(self, grace: float = GRACE) -> None:
        """End every process and all that they started, and let none start any more.

        What the leaders started gets TERM; whatever is left after ``grace`` seconds is killed.
        """
        self.stopping.set()
        with self._lock:
            leaders = set(self._running)
        asked: set[psutil.Process] = set()
        give_up = time.monotonic() + grace
        while members := [member for leader in leaders for member in family(leader)]:
            if time.monotonic() >= give_up:
                return end(members, grace=0)
            fresh = [member for member in members if member not in asked and member.pid not in leaders]
            send(fresh, signal.SIGTERM)
            asked.update(fresh)
            time.sleep(0.1)

    def _start(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            if self.stopping.is_set():
                raise StoppedError
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process.pid)
            return process


def end(members: Iterable[psutil.Process], grace: float) -> None:
    """Send these processes TERM, and KILL to those that are alive after ``grace`` seconds."""
    left = list(members)
    for signal_number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        send(left, signal_number)
        give_up = time.monotonic() + patience
        while (left := [member for member in left if alive(member)]) and time.monotonic() < give_up:
            time.sleep(0.05)
        if not left:
            return


def send(members: Iterable[psutil.Process], signal_number: signal.Signals) -> None:
    """Send a signal to those of the processes that still exist."""
    for member in members:
        with contextlib.suppress(psutil.Error):
            member.send_signal(signal_number)


def family(leader: int) -> list[psutil.Process]:
    """The living processes of a leader's group, and its descendants in other groups; parents before their children.

    The order matters to who sends them a signal: a shell whose command is ended first goes on to the next command.
    """
    found: set[psutil.Process] = set()
    with contextlib.suppress(psutil.Error):
        found.update(psutil.Process(leader).children(recursive=True))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, 0)  # raises when the group is empty, which spares us the look at every process
        found.update(process for process in psutil.process_iter() if _group(process) == leader)
    return sorted(filter(alive, found), key=lambda process: (process.create_time(), process.pid))


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except (ProcessLookupError, PermissionError):
        return None


def alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie, which only its parent can remove, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _listen(process: subprocess.Popen[str], hear: Callable[[str], None]) -> None:
    with contextlib.suppress(ValueError):  # closed while it was read
        for line in process.stdout or ():
            if text := line.rstrip().replace("\0", "�"):
                hear(text)
