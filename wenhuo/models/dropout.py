"""Dropout and attention that cost little on a CPU; everywhere else they are torch's own.

torch draws one Bernoulli variable after another from a Mersenne Twister, 7 ns each: a tenth of a step of BERT-base.
Here 64 bits of numpy's SFC64 decide about four values, 0.4 ns each, and those 16 bits a value are kept for the way
back, where torch keeps a float. The generator of each call is seeded by torch's, so a seed or a checkpoint says as much
as ever, and what is dropped is the same on every processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ATTENTION = "wenhuo"
BITS = 16
STEPS = 65_536


class Dropout(nn.Dropout):
    """``nn.Dropout`` with a cheap mask on a CPU. The share that is dropped is rounded to 1/65536."""

    def forward(self, values: Tensor) -> Tensor:
        """Zero a share of the values and scale the others up, in training."""
        return dropped(values, self.p) if self.training and not self.inplace else super().forward(values)


class _Drop(torch.autograd.Function):
    """Zero where the drawn number is below a threshold; the way back does the same to the gradient."""

    @staticmethod
    def forward(context: Any, values: Tensor, drawn: Tensor, threshold: int) -> Tensor:
        context.save_for_backward(drawn)
        context.threshold = threshold
        return _kept(values, drawn, threshold)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (drawn,) = context.saved_tensors
        return _kept(gradients[0], drawn, context.threshold), None, None


class _DropAndWeigh(torch.autograd.Function):
    """Values weighed by what dropout leaves of the weights, which the way back computes again instead of keeping."""

    @staticmethod
    def forward(context: Any, weights: Tensor, values: Tensor, drawn: Tensor, threshold: int) -> Tensor:
        context.save_for_backward(weights, values, drawn)
        context.threshold = threshold
        return _kept(weights, drawn, threshold) @ values

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        weights, values, drawn = context.saved_tensors
        of_values = _kept(weights, drawn, context.threshold).transpose(-1, -2) @ gradients[0]
        of_weights = gradients[0] @ values.transpose(-1, -2)
        return _kept(of_weights, drawn, context.threshold), of_values, None, None


def dropped(values: Tensor, share: float) -> Tensor:
    """Dropout of a share of the values, of any shape."""
    if not _can(values, share):
        return nn.functional.dropout(values, share)
    return _Drop.apply(values, _drawn(values.shape), _threshold(share))  # type: ignore[no-any-return,no-untyped-call]


def _can(values: Tensor, share: float) -> bool:
    return values.device.type == "cpu" and 0 < _threshold(share) < STEPS


def _threshold(share: float) -> int:
    return round(share * STEPS)


def _drawn(shape: torch.Size) -> Tensor:
    """Uniform numbers of 16 bits, from a generator that torch's seeds."""
    seed = int(torch.empty((), dtype=torch.int64).random_())
    words = np.random.SFC64(seed).random_raw(-(-shape.numel() * BITS // 64))
    return torch.from_numpy(words.view(np.int16)[: shape.numel()]).view(shape)


def _kept(values: Tensor, drawn: Tensor, threshold: int) -> Tensor:
    """The values whose number is not below the threshold, scaled so that the mean stays; two passes over memory."""
    kept = torch.empty(values.shape, dtype=values.dtype)
    torch.ge(drawn, threshold - STEPS // 2, out=kept)
    return torch.addcmul(kept.new_zeros(()), values, kept, value=STEPS / (STEPS - threshold))


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers asks for it; with dropout on a CPU torch's own takes the slow generator.

    Args:
        module: the attention layer.
        query: shape (rows, heads, tokens, width); ``key`` and ``value`` alike.
        key: see ``query``.
        value: see ``query``.
        attention_mask: True where a token is seen, shape (rows, 1, tokens, tokens), or None for all.
        dropout: share of the attention weights.
        scaling: of the products; None: one over the root of the width.
        more: for torch's own.

    Returns:
        Shape (rows, tokens, heads, width), and no weights.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    causal = more.get("is_causal")
    causal = getattr(module, "is_causal", True) if causal is None else causal
    plain = getattr(module, "num_key_value_groups", 1) == 1 and more.get("position_bias") is None
    plain = plain and (not causal if attention_mask is None else attention_mask.dtype == torch.bool)
    if not plain or not _can(query, dropout):
        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **more
        )
    scores = (query * (query.shape[-1] ** -0.5 if scaling is None else scaling)) @ key.transpose(2, 3)
    if attention_mask is not None:
        scores += torch.where(attention_mask, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)
    weights = scores.softmax(-1).to(value.dtype)
    seen = _DropAndWeigh.apply(weights, value, _drawn(weights.shape), _threshold(dropout))  # type: ignore[no-untyped-call]
    return seen.transpose(1, 2).contiguous(), None


def make_cheap(module: nn.Module) -> None:
    """Put :class:`Dropout` in the place of every ``nn.Dropout`` in a module, and :func:`attend` where torch attends."""
    for part in module.modules():
        if type(part) is nn.Dropout:
            part.__class__ = Dropout
    config = getattr(module, "config", None)
    if getattr(config, "_attn_implementation", None) == "sdpa":
        from transformers import AttentionInterface, AttentionMaskInterface
        from transformers.masking_utils import sdpa_mask

        AttentionInterface.register(ATTENTION, attend)
        AttentionMaskInterface.register(ATTENTION, sdpa_mask)
        module.set_attn_implementation(ATTENTION)  # type: ignore[operator]
