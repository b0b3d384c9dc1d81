"""Put a training together: what is frozen or adapted, where logits come from, all batches planned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from wenhuo.console import say
from wenhuo.encoding.options import Pool
from wenhuo.encoding.store import EncodedRows
from wenhuo.errors import DataError, SettingsError
from wenhuo.models.devices import device_and_dtype, keep_memory
from wenhuo.models.transformer import Network
from wenhuo.models.tuning import AdaLora, Adapter, HeadOnly
from wenhuo.training import dividing, losses, processes, sharding, sources, trainable
from wenhuo.training.batches import Plan
from wenhuo.training.history import Point
from wenhuo.training.loop import Training
from wenhuo.training.options import TransformerCandidate

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule

SEED_STEP = 1_000_003
"""From one process's seed to the next one's, so that each draws its own dropout."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows, and what they need to become batches and losses.

    ``pad`` is the id that fills short rows, ``how`` pools the logits of windows, ``labels`` are the names of classes.
    """

    train: EncodedRows
    validation: EncodedRows
    pad: int
    how: Pool
    labels: Sequence[str]


def assemble(
    network: Network,
    rows: Rows,
    options: TransformerCandidate,
    seed: int,
    checkpoints: Path,
    watch: Callable[[list[Point]], None],
) -> Training:
    """A training that is ready to run, its network on the best device, or spread over the processes' devices.

    Raises:
        SettingsError: what is to be trained does not fit the backbone, or the class weights not the labels.
        DataError: the processes do not have the same rows and parameters.
    """
    _compare(rows, options, seed)
    keep_memory()
    device, dtype = device_and_dtype(options.precision)
    plan = Plan(rows.train.lengths, seed, options.epochs, options.batch_size, options.batch_tokens)
    ranks = _adapt(network, options, plan.steps)
    trainable.choose(network, options.tune)
    if options.gradient_checkpointing:
        _keep_less(network)
    processes.copy_first(parameter for parameter in network.parameters() if parameter.requires_grad)
    trained = _placed(network, options, device)
    train, validation = (
        _source(trained, name, rows, options, device, dtype, checkpoints) for name in ("train", "validation")
    )
    weights = losses.class_weights(options.objective, rows.labels, rows.train.labels)
    on_device = None if weights is None else torch.from_numpy(weights).to(device)
    if processes.rank():
        torch.manual_seed(seed + SEED_STEP * processes.rank())  # until here all have drawn the same weights
    return Training(trained, train, validation, plan, options, on_device, ranks, checkpoints, watch, network)


def _compare(rows: Rows, options: TransformerCandidate, seed: int) -> None:
    """Say how many train together, and compare what they were given; another machine may have older data."""
    if processes.size() == 1:
        return
    say(f"train: {processes.size()} processes, {options.parallel}")
    known = hashlib.sha256(f"{torch.__version__} {seed} {options.model_dump_json()} {rows.labels}".encode())
    for part in (rows.train, rows.validation):
        for values in (part.labels, part.offsets, part.values):
            known.update(np.ascontiguousarray(values).tobytes())
    if len(set(processes.gather(known.hexdigest()))) > 1:
        hint = "bring the same commit, data (dvc pull) and version of torch to every machine"
        raise DataError("the processes do not have the same data, parameters and torch", hint)


def _placed(network: Network, options: TransformerCandidate, device: torch.device) -> Network:
    """The network on a device, or its twin spread over the processes."""
    if options.parallel == "fsdp" and processes.size() > 1:
        return sharding.shard(network, device)
    return network.to(device)


def _adapt(network: Network, options: TransformerCandidate, steps: int) -> RankSchedule | None:
    """Put the adapter in, if one is asked for; return AdaLoRA's schedule, if it is that."""
    if not isinstance(options.tune, Adapter):
        return None
    from wenhuo.models import adapters

    network.backbone = adapters.adapt(network.backbone, options.tune, steps)
    return adapters.RankSchedule(network.backbone) if isinstance(options.tune, AdaLora) else None


def _keep_less(network: Network) -> None:
    try:
        network.backbone.gradient_checkpointing_enable({"use_reentrant": False})
    except ValueError:
        family = network.backbone.config.model_type
        raise SettingsError(
            f"transformers has no gradient_checkpointing for {family}", "set tokens_at_once instead"
        ) from None


def _source(
    network: Network,
    name: Literal["train", "validation"],
    rows: Rows,
    options: TransformerCandidate,
    device: torch.device,
    dtype: torch.dtype,
    checkpoints: Path,
) -> sources.Source:
    part = rows.train if name == "train" else rows.validation
    if not isinstance(options.tune, HeadOnly):
        return sources.Tokens(network, part, rows.pad, rows.how, device, dtype)
    values = dividing.all_features(network, part, rows.pad, device, dtype, checkpoints / f"features-{name}.npy")
    return sources.Features(network.head, part, values, rows.how, device, dtype)
