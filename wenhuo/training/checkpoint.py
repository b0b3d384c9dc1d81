"""Checkpoints of a training that may be killed at any moment: safetensors and JSON, each folder whole or not there.

A checkpoint holds everything the next step depends on (weights, best weights so far, the optimizer's moments, the
random generators, the position in the data, the curves), so that going on from it equals never having stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor

from wenhuo.console import say
from wenhuo.files import read_json, whole, write_json
from wenhuo.models.transformer import Network
from wenhuo.training import processes
from wenhuo.training.history import Point
from wenhuo.training.sharding import like, unsharded
from wenhuo.training.states import (
    PROGRESS,
    folder_of,
    forget_others,
    generators,
    moments,
    parameters_of,
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
    """Write a checkpoint of what training changes, then delete the ones before it.

    All processes take part; the first one writes, and none goes on before it has.
    """
    tensors = {
        "network": unsharded(trained_state(network)),
        "best": unsharded(best),
        "optimizer": unsharded(moments(optimizer)),
        "generators": _everyones_generators(),
    }
    if ranks is not None:
        tensors["ranks"] = ranks.state()
    if processes.first():
        with whole(folder_of(folder, progress.step)) as made:
            made.mkdir()
            for name, held in tensors.items():
                save_tensors(held, made / f"{name}.safetensors")
            write_json(made / PROGRESS, asdict(progress))
        forget_others(folder, progress.step)
    processes.gather(None)


def restore(
    checkpoint: Path,
    network: Network,
    optimizer: torch.optim.Optimizer,
    ranks: RankSchedule | None,
) -> tuple[Progress, dict[str, Tensor]]:
    """Put network, optimizer and random generators where the checkpoint left them; return progress and best weights.

    The first process reads and the others hear of it, so that only one machine needs the checkpoint. It need not have
    been made by as many processes: one that has no generator in it goes on with its own.
    """

    def stored(name: str) -> Iterator[tuple[str, Tensor]]:
        return processes.spread(lambda: load_file(checkpoint / f"{name}.safetensors"))

    state = network.state_dict()
    for name, value in stored("network"):
        state[name].copy_(like(state[name], value))
    parameters = parameters_of(optimizer)
    restore_moments(optimizer, {key: _moment(parameters, key, value) for key, value in stored("optimizer")})
    if ranks is not None:
        device = parameters[0].device
        ranks.restore({name: value.to(device) for name, value in stored("ranks")})
    _restore_own_generators(dict(stored("generators")))
    values = processes.from_first(lambda: read_json(checkpoint / PROGRESS))
    values["points"] = [Point(**point) for point in values["points"]]
    return Progress(**values), {name: like(state[name], value) for name, value in stored("best")}


def _moment(parameters: list[Tensor], key: str, value: Tensor) -> Tensor:
    """What the optimizer remembers of a parameter, as the parameter is where it has its shape; steps are counted."""
    parameter = parameters[int(key.partition(".")[0])]
    return like(parameter, value) if value.shape == parameter.shape else value


def _everyones_generators() -> dict[str, Tensor]:
    """The generators of all processes; those of the others bear their number."""
    return {
        f"{name}.{rank}" if rank else name: value
        for rank, own in enumerate(processes.gather(generators()))
        for name, value in own.items()
    }


def _restore_own_generators(stored: dict[str, Tensor]) -> None:
    made_by = sum(name.partition(".")[0] == "cpu" for name in stored)
    if made_by != processes.size():
        say(f"the checkpoint was made by {made_by} processes: from here on dropout is drawn otherwise")
    ending = f".{processes.rank()}" if processes.rank() else ""
    own = {name: stored[name + ending] for name in generators() if name + ending in stored}
    restore_generators(generators() | own)
