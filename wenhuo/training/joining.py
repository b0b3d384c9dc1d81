"""How the processes of a training meet, speak with one voice, and part.

A launcher starts them and tells each its place by ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``, ``MASTER_ADDR`` and
``MASTER_PORT``, as torchrun does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import PrefixStore, TCPStore, rendezvous  # type: ignore[attr-defined]

from wenhuo.errors import SettingsError, WenhuoError
from wenhuo.training.launching import STORE, launched
from wenhuo.training.processes import Lost, first, first_here, lost, size, together

PATIENCE = 1800.0
"""Seconds that processes wait for each other: one of them may write a checkpoint to a slow disk."""
SECONDS_TO_HEAR = 5.0
"""How long processes that fail wait to hear what the first one says of it."""


@contextmanager
def joined(patience: float = PATIENCE) -> Iterator[None]:
    """Work together with the other processes that the launcher started; alone, just work.

    Only the first process speaks, and what all of them raise alike is raised by it alone.

    Args:
        patience: seconds to wait for each other, now and later.

    Raises:
        SettingsError: this process finds no device of its own.
        Lost: another process did not come, ended or does not answer.
    """
    if not launched() or int(os.environ["WORLD_SIZE"]) == 1:
        yield
        return
    store = _meet(timedelta(seconds=patience))
    try:
        with _silent():
            yield
    except (WenhuoError, RuntimeError) as found:
        error = found if isinstance(found, WenhuoError) else lost(found)
        if error is None:
            raise
        if _speaks(store, error):
            raise error from None
        sys.exit(1)
    dist.destroy_process_group()


def _meet(patience: timedelta) -> Any:
    backend = _take_device(int(os.environ["LOCAL_RANK"]))
    count, own = int(os.environ["WORLD_SIZE"]), int(os.environ["RANK"])
    with together():
        store = _own_store(count, patience) if STORE in os.environ else next(rendezvous("env://"))[0]
        store.set_timeout(patience)
        dist.init_process_group(backend, store=store, rank=own, world_size=count, timeout=patience)
    return PrefixStore("wenhuo", store)


def _take_device(local: int) -> str:
    """Make a GPU of one's own the current one; return the back ends to talk over."""
    if torch.backends.mps.is_available():
        raise SettingsError("several processes cannot share this machine's GPU (mps)", "set train.devices to 1")
    if not torch.cuda.is_available():
        return "cpu:gloo"
    if local >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise SettingsError(f"process {local} of this machine has no GPU: there are {found}", f"start {found} here")
    torch.cuda.set_device(local)
    return "cpu:gloo,cuda:nccl"


def _own_store(count: int, patience: timedelta) -> Any:
    """Where the processes meet: on an address of this machine alone, which our launcher has opened.

    A store that torch opens by itself listens on every address of the machine and asks nobody who they are.
    """
    heard = int(os.environ[STORE]) if os.environ["RANK"] == "0" else None
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(address, port, count, heard is not None, patience, master_listen_fd=heard)


@contextmanager
def _silent() -> Iterator[None]:
    """In all processes but the first, print nothing."""
    if first():
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _speaks(store: Any, error: WenhuoError) -> bool:
    """Whether this process is to say what went wrong; the first one tells the others what it says itself."""
    try:
        if first():
            store.set("error", str(error))
            give_up = time.monotonic() + SECONDS_TO_HEAR
            while store.add("heard", 0) < size() - 1 and time.monotonic() < give_up:
                time.sleep(0.02)
            return True
        store.wait(["error"], timedelta(seconds=SECONDS_TO_HEAR))
        said = store.get("error").decode()
        store.add("heard", 1)
        return not isinstance(error, Lost) and said != str(error)
    except RuntimeError:  # the store went with the first process
        return first_here() or not isinstance(error, Lost)
