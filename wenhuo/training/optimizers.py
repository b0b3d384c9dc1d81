"""Optimizers and learning rates."""

from __future__ import annotations

import math
from typing import Any

import torch

from wenhuo.models.transformer import Network
from wenhuo.training.options import TransformerCandidate
from wenhuo.training.trainable import depth_of_parameters


def learning_rate(step: int, steps: int, options: TransformerCandidate) -> float:
    """The rate of a step (from 0): a linear rise in the warm-up, then the schedule's fall to 0, or none."""
    rising = round(steps * options.warmup)
    if step < rising:
        return options.learning_rate * (step + 1) / rising
    if options.schedule == "constant":
        return options.learning_rate
    left = (steps - step) / max(1, steps - rising)
    if options.schedule == "cosine":
        return options.learning_rate * 0.5 * (1 - math.cos(math.pi * left))
    return options.learning_rate * (steps - step) / max(1, steps - rising)


def make_optimizer(network: Network, options: TransformerCandidate) -> torch.optim.Optimizer:
    """The optimizer of what is trained. Biases and norms (tensors of one dimension) do not decay."""
    groups = parameter_groups(network, options)
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=options.learning_rate, momentum=options.momentum)
    if options.optimizer == "adafactor":  # Shazeer & Stern 2018
        return torch.optim.Adafactor(groups, lr=options.learning_rate)
    fused = groups[0]["params"][0].device.type in {"cpu", "cuda"}
    return torch.optim.AdamW(groups, lr=options.learning_rate, fused=fused)  # Loshchilov & Hutter 2019


def parameter_groups(network: Network, options: TransformerCandidate) -> list[dict[str, Any]]:
    """Trained parameters by how much they decay, and by the share of the learning rate that their depth leaves them.

    The head learns at the full rate, each layer below at ``layer_decay`` times the rate of the one above it
    (Howard & Ruder 2018).
    """
    depths = depth_of_parameters(network)
    top = max(depths.values())
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            share = options.layer_decay ** (top - depths[name])
            groups.setdefault((share, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": parameters, "share": share, "weight_decay": options.weight_decay if decays else 0.0}
        for (share, decays), parameters in sorted(groups.items(), key=lambda item: item[0], reverse=True)
    ]
