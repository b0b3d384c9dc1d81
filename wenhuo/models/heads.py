"""Heads: from the backbone's states to one logit a class. Each is a small module with the same interface.

``head(states, mask) -> logits``: states (rows, tokens, hidden), mask (rows, tokens) of 0 and 1, logits (rows, classes).
"""

from __future__ import annotations

from torch import Tensor, nn


class FirstTokenHead(nn.Module):
    """BERT's own: the state of the first token through a dense layer and tanh (Devlin et al. 2019)."""

    def __init__(self, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, classes)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (rows, classes)."""
        return self.out(self.dropout(self.dense(states[:, 0]).tanh()))  # type: ignore[no-any-return]


class MeanHead(nn.Module):
    """The mean of the states of all tokens that are not padding."""

    def __init__(self, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(hidden, classes)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (rows, classes)."""
        weights = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1)
        return self.out(self.dropout(mean))  # type: ignore[no-any-return]


HEADS: dict[str, type[nn.Module]] = {"first": FirstTokenHead, "mean": MeanHead}
