"""How long a pretraining is, and its learning rate on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from wenhuo.pretraining.model import Network
from wenhuo.pretraining.options import Pretraining


@dataclass(frozen=True)
class Course:
    """The whole of a pretraining in steps or in tokens, whichever is limited.

    Attributes:
        options: the pretraining's.
        pass_tokens: tokens of one pass over the text, special ones included.
    """

    options: Pretraining
    pass_tokens: int

    def share(self, steps: int, tokens: int) -> float:
        """How much of it is done; 1 or more: all."""
        if self.options.steps is not None:
            return steps / self.options.steps
        return tokens / self.tokens

    @property
    def tokens(self) -> int:
        """Tokens of the whole, where it is not limited by steps."""
        return self.options.tokens or max(1, round((self.options.epochs or 0) * self.pass_tokens))

    def rate(self, share: float) -> float:
        """The learning rate when so much is done: it rises, then falls to 0."""
        warmup, highest = self.options.warmup, self.options.learning_rate
        if share < warmup:
            return highest * max(share, 0.01 * warmup) / warmup
        left = max(0.0, (1 - share) / (1 - warmup))
        return highest * (left if self.options.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left)))


def make_optimizer(model: Network, options: Pretraining) -> torch.optim.Optimizer:
    """AdamW, fused; biases and norms (tensors of one dimension) do not decay.

    The second moment is forgotten faster than by default (0.98, as RoBERTa's): a course of few thousand steps has no
    time for an average over the last thousand.
    """
    groups: list[dict[str, object]] = [
        {"params": [p for p in model.parameters() if p.requires_grad and (p.ndim > 1) == decays], "weight_decay": decay}
        for decays, decay in ((True, options.weight_decay), (False, 0.0))
    ]
    fused = model.device.type in {"cpu", "cuda"}
    return torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=fused)
