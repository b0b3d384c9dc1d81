"""The parts of a checkpoint that every training has: folders named by step, tensors, optimizers, random generators."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

NAME = re.compile(r"step-(\d{9})")
PROGRESS = "progress.json"


def folder_of(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step stands."""
    return folder / f"step-{step:09d}"


def latest(folder: Path) -> Path | None:
    """The last complete checkpoint in a folder; a folder that a killed process left half-written has another name."""
    found = [path for path in folder.glob("step-*") if NAME.fullmatch(path.name)]
    return max(found, default=None)


def forget_others(folder: Path, step: int) -> None:
    """Delete the checkpoints of other steps."""
    for path in folder.glob("step-*"):
        if path != folder_of(folder, step):
            shutil.rmtree(path, ignore_errors=True)


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write tensors as safetensors."""
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)


def parameters_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The parameters that an optimizer moves, in the order in which :func:`moments` counts them."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimizer remembers, as ``number of the parameter.name``."""
    state: dict[Any, dict[str, Tensor]] = optimizer.state
    return {
        f"{i}.{name}": value
        for i, parameter in enumerate(parameters_of(optimizer))
        for name, value in state.get(parameter, {}).items()
        if value is not None  # SGD without momentum keeps nothing
    }


def restore_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give an optimizer what :func:`moments` took from one of the same parameters."""
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
