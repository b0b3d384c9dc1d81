"""Put a training together: what is frozen or adapted, where logits come from, all batches planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from wenhuo.encoding.options import Pool
from wenhuo.encoding.store import EncodedRows
from wenhuo.errors import SettingsError
from wenhuo.models.devices import device_and_dtype
from wenhuo.models.transformer import Network
from wenhuo.models.tuning import AdaLora, Adapter, HeadOnly
from wenhuo.training import features, losses, sources, trainable
from wenhuo.training.batches import Plan
from wenhuo.training.history import Point
from wenhuo.training.loop import Training
from wenhuo.training.options import TransformerCandidate

if TYPE_CHECKING:
    from wenhuo.models.adapters import RankSchedule


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
    """A training that is ready to run, its network on the best device.

    Raises:
        SettingsError: what is to be trained does not fit the backbone, or the class weights not the labels.
    """
    device, dtype = device_and_dtype(options.precision)
    plan = Plan(rows.train.lengths, seed, options.epochs, options.batch_size, options.batch_tokens)
    ranks = _adapt(network, options, plan.steps)
    trainable.choose(network, options.tune)
    if options.gradient_checkpointing:
        _keep_less(network)
    network.to(device)
    train, validation = (
        _source(network, name, rows, options, device, dtype, checkpoints) for name in ("train", "validation")
    )
    weights = losses.class_weights(options.objective, rows.labels, rows.train.labels)
    on_device = None if weights is None else torch.from_numpy(weights).to(device)
    return Training(network, train, validation, plan, options, on_device, ranks, checkpoints, watch)


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
    values = features.compute(network, part, rows.pad, device, dtype, checkpoints / f"features-{name}.npy")
    return sources.Features(network.head, part, values, rows.how, device, dtype)
