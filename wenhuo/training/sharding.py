"""A network spread over the processes: each holds a part of every weight and puts layers together as they are needed.

torch's fully_shard (Zhao et al. 2023). The gradients are summed, not averaged, as everywhere here: a batch's loss is a
sum of what its parts add. Forward and backward passes are made by all processes together, so each must make as many.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from wenhuo.models.backbones import blocks
from wenhuo.models.transformer import Network
from wenhuo.training import processes


def shard(network: Network, device: torch.device) -> Network:
    """A twin of a network, spread over the processes; the network itself keeps its form and hands over its weights."""
    twin = copy.deepcopy(network, {id(parameter): parameter for parameter in network.parameters()})
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            setattr(module, name, nn.Parameter(parameter.to("meta"), parameter.requires_grad))
    mesh = init_device_mesh(device.type, (processes.size(),))
    for module in [*(blocks(twin.backbone) or []), twin]:
        fully_shard(module, mesh=mesh)
        module.set_gradient_divide_factor(1.0)
        module.set_force_sum_reduction_for_comms(True)  # gloo knows no other
    return twin


def is_sharded(network: nn.Module) -> bool:
    """Whether a network is spread over the processes."""
    return isinstance(network, FSDPModule)


def unsharded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors whole, in the first process on the CPU where they were sharded; in the others none of those."""
    found = {}
    for name, tensor in tensors.items():
        if not isinstance(tensor, DTensor):
            found[name] = tensor
            continue
        entire: Tensor = tensor.detach().full_tensor()  # type: ignore[attr-defined]
        if processes.first():
            found[name] = entire.cpu()
    return found


def like(target: Tensor, value: Tensor) -> Tensor:
    """A whole tensor, the same in every process, where and as ``target`` is: moved, and sharded if that is."""
    moved = value.to(target.device)
    if not isinstance(target, DTensor):
        return moved
    return distribute_tensor(moved, target.device_mesh, target.placements, src_data_rank=None)


def collect(network: Network, twin: Network) -> None:
    """Give the first process's network, which handed its weights over, those of its sharded twin."""
    if twin is network:
        return
    found = unsharded(twin.state_dict())
    if processes.first():
        network.load_state_dict(found, strict=False, assign=True)


@contextmanager
def in_step(network: nn.Module, idle: Callable[[], Any]) -> Iterator[None]:
    """Let processes make different numbers of forward passes: who has made them all makes idle ones until all have.

    Args:
        network: when it is not sharded there is nothing to do.
        idle: makes a forward pass that counts for nothing.
    """
    if not is_sharded(network):
        yield
        return
    hook = network.register_forward_pre_hook(lambda *_: processes.any_of(True) and None, prepend=True)
    try:
        yield
    finally:
        hook.remove()
    while processes.any_of(False)[0]:
        idle()
