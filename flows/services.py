"""Processes that outlive the command that started them: each with a log and a note of which process it is."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from flows.children import alive, end, family
from wenhuo.errors import WenhuoError
from wenhuo.files import read_json, write_json

SECONDS_TO_START = 180.0
"""A server's first start takes 12 s on a quiet machine and 60 s on a busy one."""


class ServiceError(WenhuoError):
    """A background process did not start, or ended early."""


@dataclass(frozen=True)
class Service:
    """A background process. A process number alone could be another process's by now; with its birth it is sure.

    Attributes:
        name: ``server`` or ``worker``.
        pid: its process number.
        born: when it started, in seconds since the epoch.
        url: the address it serves, or uses.
    """

    name: str
    pid: int
    born: float
    url: str


def running(folder: Path, name: str) -> Service | None:
    """The service that ``start`` started, if it is still alive."""
    try:
        service = Service(**read_json(_note(folder, name)))
        process = psutil.Process(service.pid)
        same = abs(process.create_time() - service.born) < 0.1
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    return service if same and alive(process) else None


def start(
    folder: Path,
    name: str,
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    url: str,
    keep: Collection[int] = (),
) -> Service:
    """Start a process in a session of its own, with its output in ``NAME.log`` and a note in ``NAME.json``.

    Args:
        folder: where log and note go.
        name: the service.
        command: the program and its arguments.
        env: its whole environment.
        cwd: where it runs.
        url: the address it serves, or uses.
        keep: the file descriptors that it inherits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with log_path(folder, name).open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=tuple(keep),
        )
    service = Service(name, process.pid, psutil.Process(process.pid).create_time(), url)
    write_json(_note(folder, name), asdict(service))
    return service


def stop(folder: Path, name: str, grace: float) -> bool:
    """End a service and all it started: TERM, and KILL after ``grace`` seconds. True when it was alive."""
    service = running(folder, name)
    if service is not None:
        end(family(service.pid), grace)
    _note(folder, name).unlink(missing_ok=True)
    return service is not None


def wait_until(ready: Callable[[], bool], service: Service, folder: Path, what: str) -> None:
    """Wait until the service is ready.

    Raises:
        ServiceError: it ended, or is not ready after ``SECONDS_TO_START``.
    """
    give_up = time.monotonic() + SECONDS_TO_START
    log = log_path(folder, service.name)
    while not ready():
        if running(folder, service.name) is None:
            raise ServiceError(f"{what} ended while it started: {last_line(log)}", f"read {log}")
        if time.monotonic() > give_up:
            raise ServiceError(f"{what} is not ready after {SECONDS_TO_START:.0f} s", f"read {log}")
        time.sleep(0.3)


def listener(first: int) -> socket.socket:
    """A socket that listens at 127.0.0.1 on the first free port from ``first`` on.

    A service that is handed it cannot lose the port to another between the choice and its start, seconds later.
    """
    for port in range(first, first + 100):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen()
        except OSError:
            listening.close()
            continue
        return listening
    raise ServiceError(f"no port from {first} to {first + 99} is free", "end what listens there")


def log_path(folder: Path, name: str) -> Path:
    """Where the service's output goes."""
    return folder / f"{name}.log"


def last_line(log: Path) -> str:
    """The last line of a log that is not blank."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _note(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"
