"""What ``benchmarks.training_speed`` asks of the two processes that train, and what they hand back."""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

GIB = 2**30


@dataclass(frozen=True)
class Order:
    """One training.

    Attributes:
        parts: the folder of train, validation and test (``.parquet``).
        encoded: the folder of the same rows, encoded; only ours reads it.
        checkpoint: the folder of backbone and tokenizer.
        labels: class names.
        seed: of the training.
        batch_size: rows of a step.
        tokens: a text is cut to so many.
        epochs: passes over the rows.
        learning_rate: its highest.
        weight_decay: not of biases and norms.
        whole: a whole fine-tuning, with the accuracy on test; else only the given batches.
        batches: rows of each step: first those that warm up, then those that are measured.
        warm: how many of them warm up.
        tune: what ours trains.
    """

    parts: str
    encoded: str
    checkpoint: str
    labels: list[str]
    seed: int = 13
    batch_size: int = 16
    tokens: int = 128
    epochs: int = 2
    learning_rate: float = 2e-5
    weight_decay: float = 0.01
    whole: bool = False
    batches: list[list[int]] = field(default_factory=list)
    warm: int = 0
    tune: str = "full"


def read_order(path: Path) -> Order:
    """An order that :func:`write_order` wrote."""
    return Order(**json.loads(path.read_text()))


def write_order(path: Path, order: Order) -> None:
    """Write an order for another process."""
    path.write_text(json.dumps(asdict(order)))


def write_result(path: Path, measured: dict[str, Any]) -> None:
    """Write what was measured, and the largest memory that the process and its GPU have held."""
    import torch  # not above: what it reads from the environment must be set before

    measured["peak_gib"] = peak_memory() / GIB
    if torch.cuda.is_available():
        measured["device_gib"] = torch.cuda.max_memory_allocated() / GIB
    path.write_text(json.dumps(measured))


def peak_memory() -> int:
    """Bytes of memory that this process has held at most; ``ru_maxrss`` alone may be what its parent held."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
        return int(found[1]) * 1024 if found else 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def started() -> float:
    """When this process began, by ``time.perf_counter``: a person waits for its imports as well."""
    return time.perf_counter() - (time.time() - psutil.Process().create_time())
