"""Start the processes of a training on this machine, or by a command on several, and watch over them.

The processes are the same command once more, told their places as torchrun tells them. Why not torchrun itself on one
machine: docs/decisions/0020-several-devices.md. Importing this imports no torch.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from wenhuo.errors import SettingsError, WenhuoError
from wenhuo.settings import Section
from wenhuo.training.interruption import Interrupted, StopRequest

PARENT = "WENHUO_PARENT"
"""The environment variable with the pipe that ends when the one who started a process has gone."""
STORE = "WENHUO_STORE"
"""The environment variable with the socket, open already, at which the first process meets the others."""
SECONDS_TO_END = 15.0
"""After one process failed the others have so long to end by themselves, then again so long after SIGTERM."""

Devices = int | Literal["auto"]


class ProcessError(WenhuoError):
    """A process of a training was ended from outside."""


def prepare() -> None:
    """Set what torch reads when it is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # 20 times faster beside a busy neighbour
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic matrix products on a GPU
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")  # of 1024, each with 0.7 MB of code


def launched() -> bool:
    """Whether a launcher, ours or torchrun, started this process."""
    return all(name in os.environ for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"))


def helps() -> bool:
    """Whether this is another than the first of the processes that a launcher started."""
    return launched() and os.environ["RANK"] != "0"


class Processes(Section):
    """How many processes a stage trains in, and what starts them; a part of its parameters."""

    devices: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        "auto", description="Processes that train together, one a device; auto: every GPU of this machine, 1 on a CPU."
    )
    launcher: str = Field(
        "auto", min_length=1, description="What starts them: auto, or a command such as torchrun --nnodes 2 …"
    )


def run_in_processes(module: Sequence[str], devices: Devices, launcher: str, section: str = "train") -> bool:
    """Run a module of this Python in the processes that are asked for, to the end of the last.

    Args:
        module: its name and arguments.
        devices: how many processes on this machine; auto: one a GPU, or one.
        launcher: auto, or a command that starts them.
        section: of the parameters, for messages.

    Returns:
        Whether that was done. When not, the caller is to go on itself: it is such a process, or one is enough.

    Raises:
        SettingsError: there are not so many GPUs, or no such command.
        SystemExit: a process failed, and has said why.
        ProcessError: a process was ended from outside.
        Interrupted: all were, by a signal to this process, before they began.
    """
    prepare()
    if launched():
        _end_with_parent()
        return False
    processes = _count(devices, section)
    if launcher != "auto":
        _start_by(_command(launcher, processes), module)
    elif processes > 1:
        _start_here(module, processes)
    return launcher != "auto" or processes > 1


def _count(devices: Devices, section: str = "train") -> int:
    """How many processes to start here: as many as asked for, or one a GPU, or one.

    Raises:
        SettingsError: there are fewer GPUs.
    """
    import torch

    found = torch.cuda.device_count()
    if devices == "auto":
        return max(1, found)
    if found and devices > found:
        raise SettingsError(
            f"{section}.devices is {devices}, but this machine has {found} GPUs", "lower it, or set auto"
        )
    return devices


def _command(launcher: str, devices: int) -> list[str]:
    """The words of the user's launcher; torchrun is that of this Python, and starts ``devices`` unless told otherwise.

    Raises:
        SettingsError: the words cannot be told apart.
    """
    try:
        words = shlex.split(launcher)
    except ValueError as error:
        raise SettingsError(f"train.launcher cannot be read: {error}", "close the quotes, or set auto") from None
    if words[:1] != ["torchrun"]:
        return words
    given = {word.partition("=")[0].replace("_", "-") for word in words if word.startswith("--")}
    several = [] if given & {"--nnodes", "--rdzv-endpoint", "--master-addr", "--standalone"} else ["--standalone"]
    counted = [] if "--nproc-per-node" in given else [f"--nproc-per-node={devices}"]
    return [sys.executable, "-m", "torch.distributed.run", *several, *counted, *words[1:]]


def _start_here(module: Sequence[str], processes: int) -> None:
    """Run a module of this Python in several processes that train together, to the end of the last.

    Args:
        module: its name and arguments.
        processes: how many.

    Raises:
        SystemExit: one of them failed, and has said why.
        ProcessError: one of them was killed.
        Interrupted: all were, by a signal to this process, before they began.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as meeting, StopRequest() as stop:
        held, given = os.pipe()
        told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(meeting.getsockname()[1])}
        told |= {STORE: str(meeting.fileno()), PARENT: str(held)}
        started = []
        for rank in range(processes):
            env = os.environ | _environment(processes) | told | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            kept = [held, meeting.fileno()] if rank == 0 else [held]
            started.append(subprocess.Popen([sys.executable, "-m", *module], env=env, pass_fds=kept))
        os.close(held)
        failed = _watch(started, stop)
        os.close(given)
    if failed is not None:
        _report(failed, started[failed].returncode, processes, stopped=stop.asked)


def _environment(processes: int) -> dict[str, str]:
    """What several processes of one machine are told alike, beside where they meet."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS", str(max(1, cores // processes)))
    shared = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), "OMP_NUM_THREADS": threads}
    inside = {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    quiet = {
        "TORCH_CPP_LOG_LEVEL": os.environ.get("TORCH_CPP_LOG_LEVEL", "ERROR")
    }  # else 20 lines of stack when one ends
    return inside | shared | quiet


def _start_by(words: Sequence[str], module: Sequence[str]) -> None:
    """Run a module by a command such as torchrun's that starts its processes, here and elsewhere.

    Raises:
        SystemExit: the command failed, and has said why.
        SettingsError: there is no such command.
    """
    with StopRequest() as stop:
        try:
            started = subprocess.Popen([*words, "-m", *module])
        except OSError as error:
            hint = "install it, or set train.launcher to auto"
            raise SettingsError(f"train.launcher: {words[0]} cannot be started: {error.strerror}", hint) from None
        _watch([started], stop)
    if started.returncode:
        sys.exit(1)


def _watch(started: Sequence[subprocess.Popen[bytes]], stop: StopRequest) -> int | None:
    """Wait until all have ended; pass a request to stop on, and end the others when one fails.

    Returns:
        The number of the one that failed before any other; None when none did.
    """
    failed, signals = None, [signal.SIGTERM]
    ends: list[tuple[float, signal.Signals]] = []
    while any(process.poll() is None for process in started):
        if stop.asked and signals:
            _send(started, signals.pop())
        if failed is None and (failed := _failed(started)) is not None:
            now = time.monotonic()
            ends = [(now + SECONDS_TO_END, signal.SIGTERM), (now + 2 * SECONDS_TO_END, signal.SIGKILL)]
        while ends and time.monotonic() > ends[0][0]:
            _send(started, ends.pop(0)[1])
        time.sleep(0.05)
    return _failed(started) if failed is None else failed


def _failed(started: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """One that has ended badly, by preference one that a signal ended: the others may have failed for its sake."""
    codes = [(process.returncode, rank) for rank, process in enumerate(started) if process.poll()]
    return min(codes)[1] if codes else None


def _send(started: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    for process in started:
        if process.poll() is None:
            process.send_signal(number)


def _report(rank: int, code: int, processes: int, *, stopped: bool) -> None:
    """Raise what a failed process could not say itself."""
    if code > 0:
        sys.exit(1)
    if stopped:
        raise Interrupted("stopped before the training began", "run again")
    what = f"process {rank + 1} of {processes} was ended by {signal.Signals(-code).name}"
    raise ProcessError(what, "perhaps memory ran out; run again to go on from the last checkpoint")


def _end_with_parent() -> None:
    """End this process when the launcher that started it is gone: nobody would know of it any more."""
    if PARENT not in os.environ:
        return
    pipe = int(os.environ[PARENT])

    def wait() -> None:
        os.read(pipe, 1)  # returns when the other end is closed
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
