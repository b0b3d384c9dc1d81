"""Heads: from the backbone's states to one vector a row, from which a linear layer makes the logits.

A head is a group of options with four functions. ``features`` holds what is never trained, so that it can be computed
once and kept when only the head is trained; ``pooled`` does the rest with the modules that ``parts`` made::

    features(states, mask) -> (rows, ...)    states: the last ``states`` outputs of the backbone's layers, the last one
    pooled(parts, features, mask) -> (rows, width)        last, each (rows, tokens, hidden); mask: (rows, tokens)

To add a head, write its class here and name it in ``AnyHead``; nothing else changes. Importing this imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from wenhuo.settings import Section

if TYPE_CHECKING:
    from torch import Tensor, nn

    Part = nn.Module | nn.Parameter

Read = Literal["first", "mean", "last"]


@dataclass(frozen=True)
class Shape:
    """What a head must know of its backbone: the width of its states, and how many states a token has."""

    hidden: int
    states: int


class Head(Section):
    """The interface, with what most heads share: they look at the last layer and pool it without weights."""

    per_token: ClassVar[bool] = False
    """Whether ``features`` keeps a vector for every token: shape (rows, tokens, hidden)."""

    def states(self, shape: Shape) -> int:
        """How many of the backbone's last states it reads; the embeddings are the first of ``shape.states``."""
        return 1

    def parts(self, shape: Shape) -> dict[str, Part]:
        """The modules that are trained, by the name under which they are saved."""
        return {}

    def width(self, shape: Shape) -> int:
        """Length of the pooled vector."""
        return shape.hidden

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """What the trained part reads."""
        raise NotImplementedError

    def pooled(self, parts: Mapping[str, Any], features: Tensor, mask: Tensor) -> Tensor:
        """One vector a row."""
        return features


class First(Head):
    """BERT's own: the first token's state through a dense layer and tanh (Devlin et al. 2019)."""

    kind: Literal["first"]

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """First tokens' states."""
        return states[-1][:, 0]

    def parts(self, shape: Shape) -> dict[str, Part]:
        """The dense layer."""
        from torch import nn

        return {"dense": nn.Linear(shape.hidden, shape.hidden)}

    def pooled(self, parts: Mapping[str, Any], features: Tensor, mask: Tensor) -> Tensor:
        """BERT's pooler."""
        return parts["dense"](features).tanh()  # type: ignore[no-any-return]


class Last(Head):
    """The last token's state: the only one that has seen the whole row in a decoder."""

    kind: Literal["last"]

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Last tokens' states."""
        return one_vector(states[-1], mask, "last")


class Mean(Head):
    """The mean of the states of all tokens."""

    kind: Literal["mean"]

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Mean states."""
        return one_vector(states[-1], mask, "mean")


class Max(Head):
    """The largest value of each dimension over all tokens."""

    kind: Literal["max"]

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Maxima over tokens."""
        return states[-1].masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)


class Mix(Head):
    """A learned mix of layers: softmax weights over them and one scale (Peters et al. 2018)."""

    kind: Literal["mix"]
    layers: int | None = Field(None, ge=2, description="The last so many states; null: all of them and the embeddings.")
    read: Read = Field("mean", description="What is read of each layer: the first token, the mean, the last token.")

    def states(self, shape: Shape) -> int:
        """The layers it mixes."""
        return self.layers or shape.states

    def parts(self, shape: Shape) -> dict[str, Part]:
        """Equal weights and a scale of 1 to begin with."""
        import torch

        count = self.states(shape)
        return {"weights": torch.nn.Parameter(torch.zeros(count)), "scale": torch.nn.Parameter(torch.ones(1))}

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """One vector a layer, shape (rows, layers, hidden): mixing and averaging over tokens may change places."""
        import torch

        return torch.stack([one_vector(state, mask, self.read) for state in states], 1)

    def pooled(self, parts: Mapping[str, Any], features: Tensor, mask: Tensor) -> Tensor:
        """The weighted sum over layers."""
        weights = parts["weights"].softmax(0).unsqueeze(-1)
        return (features * weights).sum(1) * parts["scale"]  # type: ignore[no-any-return]


class Concat(Head):
    """The last layers side by side (the feature-based setting of Devlin et al. 2019)."""

    kind: Literal["concat"]
    layers: int = Field(4, ge=2, description="How many of the last layers.")
    read: Read = Field("mean", description="What is read of each layer: the first token, the mean, the last token.")

    def states(self, shape: Shape) -> int:
        """The layers it joins."""
        return self.layers

    def width(self, shape: Shape) -> int:
        """One hidden width a layer."""
        return self.layers * shape.hidden

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """The joined vectors."""
        import torch

        return torch.cat([one_vector(state, mask, self.read) for state in states], -1)


class Cnn(Head):
    """Convolutions of several widths over the tokens, and their largest values over time (Kim 2014).

    A filter begins at every token of the row and reads zeros beyond its end, so that a row of one token has an output
    and padding has no influence.
    """

    per_token: ClassVar[bool] = True
    kind: Literal["cnn"]
    widths: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(
        (2, 3, 4), min_length=1, description="Tokens that the filters of each group see."
    )
    filters: int = Field(128, ge=1, description="Filters of each width.")

    def width(self, shape: Shape) -> int:
        """One value a filter."""
        return self.filters * len(self.widths)

    def parts(self, shape: Shape) -> dict[str, Part]:
        """One convolution a width."""
        from torch import nn

        return {f"filters_{i}": nn.Conv1d(shape.hidden, self.filters, width) for i, width in enumerate(self.widths)}

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """States, zero at padding."""
        return states[-1] * mask.unsqueeze(-1).to(states[-1].dtype)

    def pooled(self, parts: Mapping[str, Any], features: Tensor, mask: Tensor) -> Tensor:
        """The largest value of each filter; after ReLU none is below 0, so padding can be set to 0."""
        import torch
        from torch.nn.functional import pad

        tokens = features.transpose(1, 2)
        inside = mask.unsqueeze(1)
        seen = [
            parts[f"filters_{i}"](pad(tokens, (0, width - 1))).relu() * inside for i, width in enumerate(self.widths)
        ]
        return torch.cat([values.amax(2) for values in seen], 1)


class Attention(Head):
    """A learned query's attention over the tokens (Yang et al. 2016)."""

    per_token: ClassVar[bool] = True
    kind: Literal["attention"]

    def parts(self, shape: Shape) -> dict[str, Part]:
        """A dense layer, and the query."""
        from torch import nn

        return {"dense": nn.Linear(shape.hidden, shape.hidden), "query": nn.Linear(shape.hidden, 1, bias=False)}

    def features(self, states: Sequence[Tensor], mask: Tensor) -> Tensor:
        """States as they are."""
        return states[-1]

    def pooled(self, parts: Mapping[str, Any], features: Tensor, mask: Tensor) -> Tensor:
        """The weighted mean of the states."""
        scores = parts["query"](parts["dense"](features).tanh()).squeeze(-1).float()
        weights = scores.masked_fill(mask == 0, float("-inf")).softmax(1)
        mean: Tensor = (features * weights.unsqueeze(-1).to(features.dtype)).sum(1)
        return mean


def one_vector(states: Tensor, mask: Tensor, read: Read) -> Tensor:
    """The first token's state, the last one's, or the mean over tokens, shape (rows, hidden)."""
    if read == "first":
        return states[:, 0]
    if read == "last":
        ends = mask.sum(1) - 1
        return states.gather(1, ends.view(-1, 1, 1).expand(-1, 1, states.shape[-1])).squeeze(1)
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1)


def named(value: Any) -> Any:
    """``mean`` is short for ``{kind: mean}``."""
    return {"kind": value} if isinstance(value, str) else value


AnyHead = Annotated[
    First | Last | Mean | Max | Mix | Concat | Cnn | Attention, Field(discriminator="kind"), BeforeValidator(named)
]
