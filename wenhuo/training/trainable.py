"""What of a network is trained: the rest is frozen, and how many parameters train is counted and said."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wenhuo.errors import SettingsError
from wenhuo.models.backbones import blocks
from wenhuo.models.transformer import Network
from wenhuo.models.tuning import AnyTuning, BitFit, HeadOnly, LastLayers


def choose(network: Network, tuning: AnyTuning) -> None:
    """Freeze what is not to be trained. Adapters have frozen their backbone when they were put in.

    Raises:
        SettingsError: the backbone has fewer layers, shares them, or has no biases.
    """
    if isinstance(tuning, LastLayers):
        depths = depth_of_parameters(network)
        first = _layers(network, tuning.layers) - tuning.layers + 1
        _freeze(network, {name for name, depth in depths.items() if depth < first})
    elif isinstance(tuning, BitFit):
        biases = {name for name, _ in network.named_parameters() if name.endswith("bias")}
        if not any(name.startswith("backbone.") for name in biases):
            raise SettingsError("tune: bitfit trains biases, and this backbone has none", "choose lora, or last")
        _freeze(network, {n for n, _ in network.named_parameters() if n.startswith("backbone.") and n not in biases})
    elif isinstance(tuning, HeadOnly):
        _freeze(network, {name for name, _ in network.named_parameters() if name.startswith("backbone.")})


def _freeze(network: Network, names: set[str]) -> None:
    for name, parameter in network.named_parameters():
        if name in names:
            parameter.requires_grad_(False)


def _layers(network: Network, asked: int) -> int:
    found = blocks(network.backbone)
    if found is None:
        raise SettingsError(
            "tune: the layers of this backbone share their weights, so the last ones cannot be trained alone",
            "choose full, head, lora or bitfit",
        )
    if asked > len(found):
        raise SettingsError(f"tune: the last {asked} layers of {len(found)}", "give layers a smaller number, or full")
    return len(found)


def depth_of_parameters(network: Network) -> dict[str, int]:
    """How deep each parameter lies: embeddings 0, layers 1 …, what follows them and the head one more.

    Layers that share their weights are one layer.
    """
    stack = blocks(network.backbone)
    inside = {id(p): i for i, block in enumerate(stack or [], 1) for p in block.parameters()}
    top = 1 + (len(stack) if stack is not None else 1)
    depths, passed = {}, False
    for name, parameter in network.named_parameters():
        passed = passed or id(parameter) in inside
        if name.startswith("head."):
            depths[name] = top
        elif id(parameter) in inside:
            depths[name] = inside[id(parameter)]
        elif "emb" in name:
            depths[name] = 0
        else:
            depths[name] = 1 if stack is None else top if passed else 0
    return depths


def count(network: Network) -> dict[str, int]:
    """How many parameters there are, and how many of them are trained."""
    parameters = list(network.parameters())
    return {"all": sum(p.numel() for p in parameters), "trained": sum(p.numel() for p in parameters if p.requires_grad)}


def trained_state(network: Network) -> dict[str, Tensor]:
    """The entries of the state that training changes: a checkpoint of an adapter is as small as the adapter."""
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    state: dict[str, Any] = network.state_dict()
    return {name: value for name, value in state.items() if name not in frozen}
