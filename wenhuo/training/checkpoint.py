"""Checkpoints of a training that may be killed at any moment: safetensors and JSON, each folder whole or not there.

A checkpoint holds everything the next step depends on (weights, best weights so far, the optimizer's moments, the
random generators, the position in the data, the curves), so that going on from it equals never having stopped.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from wenhuo.files import read_json, whole, write_json
from wenhuo.models.transformer import Network
from wenhuo.training.history import Point
from wenhuo.training.trainable import trained_state

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule

NAME = re.compile(r"step-(\d{9})")
PROGRESS = "progress.json"


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


def latest(folder: Path) -> Path | None:
    """The last complete checkpoint in a folder; a folder that a killed process left half-written has another name."""
    found = [path for path in folder.glob("step-*") if NAME.fullmatch(path.name)]
    return max(found, default=None)


def save(
    folder: Path,
    progress: Progress,
    network: Network,
    optimizer: torch.optim.Optimizer,
    best: dict[str, Tensor],
    ranks: RankSchedule | None,
) -> None:
    """Write a checkpoint of what training changes, then delete the ones before it."""
    with whole(folder / f"step-{progress.step:09d}") as made:
        made.mkdir()
        _save(trained_state(network), made / "network.safetensors")
        _save(best, made / "best.safetensors")
        _save(_moments(optimizer), made / "optimizer.safetensors")
        _save(generators(), made / "generators.safetensors")
        if ranks is not None:
            _save(ranks.state(), made / "ranks.safetensors")
        write_json(made / PROGRESS, asdict(progress))
    for path in folder.glob("step-*"):
        if path.name != f"step-{progress.step:09d}":
            shutil.rmtree(path, ignore_errors=True)


def restore(
    checkpoint: Path,
    network: Network,
    optimizer: torch.optim.Optimizer,
    ranks: RankSchedule | None,
    device: torch.device,
) -> tuple[Progress, dict[str, Tensor]]:
    """Put network, optimizer and random generators where the checkpoint left them; return progress and best weights."""
    network.load_state_dict(load_file(checkpoint / "network.safetensors", device=str(device)), strict=False)
    _restore_moments(optimizer, load_file(checkpoint / "optimizer.safetensors", device=str(device)))
    if ranks is not None:
        ranks.restore(load_file(checkpoint / "ranks.safetensors", device=str(device)))
    restore_generators(load_file(checkpoint / "generators.safetensors"))
    values = read_json(checkpoint / PROGRESS)
    values["points"] = [Point(**point) for point in values["points"]]
    return Progress(**values), load_file(checkpoint / "best.safetensors", device=str(device))


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state: dict[Any, dict[str, Tensor]] = optimizer.state
    return {
        f"{i}.{name}": value
        for i, parameter in enumerate(_parameters(optimizer))
        for name, value in state.get(parameter, {}).items()
        if value is not None  # SGD without momentum keeps nothing
    }


def _restore_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        i, name = key.split(".", 1)
        state.setdefault(int(i), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def generators() -> dict[str, Tensor]:
    """Where the random generators stand."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_generators(states: dict[str, Tensor]) -> None:
    """Put the random generators where :func:`generators` found them."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
