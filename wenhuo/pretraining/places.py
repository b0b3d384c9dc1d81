"""Of most tokens nothing is asked, so nothing that is computed token by token need be computed for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from wenhuo.models.backbones import blocks

BERTS = {"bert", "camembert", "electra", "ernie", "roberta", "xlm-roberta"}
"""Families whose layers are an attention, and then a feed-forward part that sees one token's state at a time."""


def only_at(backbone: Any, places: Callable[[], Tensor]) -> None:
    """Let the states at some places alone go on, from where tokens no longer look at each other.

    In a BERT that is after the last attention: the last feed-forward part, a sixth of the arithmetic of four layers,
    and all that follows then see one of seven tokens. Of other families the last layer is computed whole.

    Args:
        backbone: its output becomes of shape (1, places, width).
        places: positions among all tokens of the batch, asked for in every forward pass.
    """

    def at(states: Tensor) -> Tensor:
        return states.flatten(0, 1)[places()].unsqueeze(0)

    def after_attention(_module: nn.Module, _given: Any, out: Any) -> Any:
        return (at(out[0]), *out[1:])

    def after_all(_module: nn.Module, _given: Any, out: Any) -> Any:
        out.last_hidden_state = at(out[0])
        return out

    layers = blocks(backbone)
    if backbone.config.model_type in BERTS and layers is not None:
        layers[-1].get_submodule("attention").register_forward_hook(after_attention)
    else:
        backbone.register_forward_hook(after_all)
