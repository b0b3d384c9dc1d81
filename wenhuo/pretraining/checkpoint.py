"""Checkpoints of a pretraining that may be killed at any moment, each folder whole or not there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file

from wenhuo.files import read_json, whole, write_json
from wenhuo.pretraining.model import Network
from wenhuo.pretraining.sums import nothing
from wenhuo.training.history import Point
from wenhuo.training.states import (
    PROGRESS,
    folder_of,
    forget_others,
    generators,
    moments,
    restore_generators,
    restore_moments,
    save_tensors,
)


@dataclass
class Progress:
    """Where a pretraining stands.

    Attributes:
        step: finished steps.
        tokens: seen, special ones included.
        epoch: passes over the text that are finished.
        batch: finished batches of the present pass.
        measured: how often the held-out rows were measured.
        sums: what :class:`wenhuo.pretraining.sums.Sums` counts, since the last point of the curve.
        tokens_at_once: what fits into the memory, None while a whole batch does.
        points: the curves.
    """

    step: int = 0
    tokens: int = 0
    epoch: int = 0
    batch: int = 0
    measured: int = 0
    sums: list[float] = field(default_factory=nothing)
    tokens_at_once: int | None = None
    points: list[Point] = field(default_factory=list)


def save(folder: Path, progress: Progress, model: Network, optimizer: torch.optim.Optimizer) -> None:
    """Write a checkpoint, then delete the ones before it."""
    with whole(folder_of(folder, progress.step)) as made:
        made.mkdir()
        save_tensors(dict(model.named_parameters()), made / "model.safetensors")  # tied ones once
        save_tensors(moments(optimizer), made / "optimizer.safetensors")
        save_tensors(generators(), made / "generators.safetensors")
        write_json(made / PROGRESS, asdict(progress))
    forget_others(folder, progress.step)


def restore(checkpoint: Path, model: Network, optimizer: torch.optim.Optimizer) -> Progress:
    """Put model, optimizer and random generators where the checkpoint left them; return the progress."""
    device = str(model.device)
    model.load_state_dict(load_file(checkpoint / "model.safetensors", device=device), strict=False)
    restore_moments(optimizer, load_file(checkpoint / "optimizer.safetensors", device=device))
    restore_generators(load_file(checkpoint / "generators.safetensors"))
    values = read_json(checkpoint / PROGRESS)
    values["points"] = [Point(**point) for point in values["points"]]
    return Progress(**values)
