"""Checkpoints of a training that may be killed at any moment: safetensors and JSON, each folder whole or not there.

A checkpoint holds everything the next step depends on (weights, best weights so far, the optimizer's moments, the
random generators, the position in the data, the curves), so that going on from it equals never having stopped.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor

from wenhuo.files import read_json, whole, write_json
from wenhuo.models.transformer import Network
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
from wenhuo.training.trainable import trained_state

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule


@dataclass
class Progress:
    """Where a training stands.

    ``step`` counts finished steps; ``loss_sum`` is since the last point of the curve; ``tokens_at_once`` is what fits
    into the memory, None while a whole batch does.
    """

    step: int = 0
    epochs_done: int = 0
    loss_sum: float = 0.0
    loss_steps: int = 0
    best_score: float = -1.0
    best_epoch: int = -1
    tokens_at_once: int | None = None
    points: list[Point] = field(default_factory=list)


def save(
    folder: Path,
    progress: Progress,
    network: Network,
    optimizer: torch.optim.Optimizer,
    best: dict[str, Tensor],
    ranks: RankSchedule | None,
) -> None:
    """Write a checkpoint of what training changes, then delete the ones before it."""
    with whole(folder_of(folder, progress.step)) as made:
        made.mkdir()
        save_tensors(trained_state(network), made / "network.safetensors")
        save_tensors(best, made / "best.safetensors")
        save_tensors(moments(optimizer), made / "optimizer.safetensors")
        save_tensors(generators(), made / "generators.safetensors")
        if ranks is not None:
            save_tensors(ranks.state(), made / "ranks.safetensors")
        write_json(made / PROGRESS, asdict(progress))
    forget_others(folder, progress.step)


def restore(
    checkpoint: Path,
    network: Network,
    optimizer: torch.optim.Optimizer,
    ranks: RankSchedule | None,
    device: torch.device,
) -> tuple[Progress, dict[str, Tensor]]:
    """Put network, optimizer and random generators where the checkpoint left them; return progress and best weights."""
    network.load_state_dict(load_file(checkpoint / "network.safetensors", device=str(device)), strict=False)
    restore_moments(optimizer, load_file(checkpoint / "optimizer.safetensors", device=str(device)))
    if ranks is not None:
        ranks.restore(load_file(checkpoint / "ranks.safetensors", device=str(device)))
    restore_generators(load_file(checkpoint / "generators.safetensors"))
    values = read_json(checkpoint / PROGRESS)
    values["points"] = [Point(**point) for point in values["points"]]
    return Progress(**values), load_file(checkpoint / "best.safetensors", device=str(device))
