"""Why a transformer decides: integrated gradients on its embeddings, by captum.

Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks" (ICML 2017). The way leads from tokens that say
nothing (the mean of the vocabulary's vectors, where special tokens stay) to the text, at the points of Gauss-Legendre's
rule. Zero vectors, the paper's choice for text, will not do: where a norm follows directly, as in DeBERTa, it makes the
same of a short vector as of a long one, and all that happens on the way happens within a hair of its beginning. All
windows of a text go together, since their pooled logits are what decides. Points are doubled until the tokens add up to
what they change the log-odds by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from wenhuo.encoding.options import Pool
from wenhuo.explaining.explanation import TOLERANCE
from wenhuo.models.transformer import Network, pad_rows, pool

Target = Callable[[Tensor], Tensor]
"""What is explained: a number, shape (n,), of logits of shape (n, classes)."""
FIRST_POINTS, MOST_POINTS = 32, 512
AT_ONCE = 10_000  # of the vocabulary
TOKENS_AT_ONCE = 2048  # with gradients: about 1 GB for a backbone of BERT-base's size


@dataclass(frozen=True)
class Decision:
    """What a network says of one text, as a function of the embedded tokens.

    Attributes:
        network: in evaluation mode; its weights want no gradients.
        ids: of the text's rows, shape (rows, tokens).
        mask: 1 where there is a token, shape as above.
        pool: how the logits of the rows become one.
        text: the embedded rows, shape (rows, tokens, width).
        nothing: the same with the vocabulary's mean in place of each of the text's own tokens.
        temperature: what the logits are divided by, as the model does.
    """

    network: Network
    ids: Tensor
    mask: Tensor
    pool: Pool
    text: Tensor
    nothing: Tensor
    temperature: float = 1.0

    @torch.no_grad()
    def logits(self) -> Tensor:
        """Those of the text, shape (classes,)."""
        return self.logits_of(self.text[None])[0]

    @torch.no_grad()
    def both(self) -> tuple[Tensor, Tensor]:
        """The logits of the text and of nothing in its place, shape (classes,) each."""
        return self.logits(), self.logits_of(self.nothing[None])[0]

    def ends(self, label: int) -> tuple[float, float]:
        """The log-odds of a label for the text and for nothing in its place."""
        return self.values(lambda logits: log_odds(logits, label))

    def values(self, target: Target) -> tuple[float, float]:
        """What a number of the logits is for the text and for nothing in its place."""
        text, nothing = (float(target(logits[None].cpu().double())) for logits in self.both())
        return text, nothing

    def logits_of(self, embedded: Tensor) -> Tensor:
        """The pooled logits of embedded texts at the model's temperature.

        Args:
            embedded: shape (n, rows, tokens, width).

        Returns:
            Shape (n, classes).
        """
        many, rows = embedded.shape[:2]
        with _placed(self.network.backbone.get_input_embeddings(), embedded.flatten(0, 1)):
            scores = self.network(self.ids.repeat(many, 1), self.mask.repeat(many, 1)).float()
        return pool(scores, [rows] * many if rows > 1 else None, self.pool) / self.temperature


def decide(
    network: Network,
    rows: Sequence[list[int]],
    own: Sequence[list[bool]],
    how: Pool,
    pad: int,
    temperature: float = 1.0,
) -> Decision:
    """The decision about a text.

    Args:
        network: in evaluation mode, on the device to compute on; afterwards its weights want no gradients.
        rows: the ids of the text's rows.
        own: which of them are the text's own tokens, not special ones.
        how: how the logits of the rows are pooled.
        pad: the id that fills short rows.
        temperature: the model's.
    """
    network.requires_grad_(False)
    device = next(network.parameters()).device
    ids, mask = (side.to(device) for side in pad_rows(rows, pad))
    replaced = pad_rows([[int(token) for token in row] for row in own], 0)[0].to(device).bool()
    layer = network.backbone.get_input_embeddings()
    with torch.no_grad():
        embedded = layer(ids)
        nothing = torch.where(replaced.unsqueeze(-1), _mean_vector(layer, device), embedded)
    return Decision(network, ids, mask, how, embedded, nothing, temperature)


def _mean_vector(layer: Any, device: torch.device) -> Tensor:
    """The mean of the vocabulary's vectors, by the layer itself, which may scale what it holds."""
    parts = torch.split(torch.arange(layer.num_embeddings, device=device), AT_ONCE)
    total: Tensor = torch.stack([layer(part).sum(0) for part in parts]).sum(0)
    return total / int(layer.num_embeddings)


def integrate(decision: Decision, label: int) -> tuple[Tensor, int]:
    """What each token adds to the log-odds of a label, shape (rows, tokens), and at how many points that was seen."""
    return integrate_target(decision, lambda logits: log_odds(logits, label))


def integrate_target(decision: Decision, target: Target) -> tuple[Tensor, int]:
    """The same for any number that the logits make."""
    from captum.attr import IntegratedGradients  # type: ignore[import-untyped]  # takes 1.5 s

    method = IntegratedGradients(lambda embedded: target(decision.logits_of(embedded)))
    text, without = decision.values(target)
    points = FIRST_POINTS
    while True:
        found = method.attribute(
            decision.text[None],
            baselines=decision.nothing[None],
            n_steps=points,
            method="gausslegendre",
            internal_batch_size=max(1, TOKENS_AT_ONCE // decision.ids.numel()),
        )
        added = found[0].cpu().double().sum(-1)  # some devices know no such numbers
        gap = abs(text - without - float(added.sum()))
        if gap <= TOLERANCE * max(1.0, abs(text - without)) or points >= MOST_POINTS:
            return added, points
        points *= 2


def log_odds(logits: Tensor, label: int) -> Tensor:
    """ln(p / (1 - p)) of a label, shape (n,), of logits of shape (n, classes)."""
    others = torch.arange(logits.shape[-1], device=logits.device) != label
    return logits[..., label] - logits[..., others].logsumexp(-1)


@contextmanager
def _placed(layer: nn.Module, value: Tensor) -> Iterator[None]:
    """Let a layer give ``value``, whatever it is asked."""
    hook = layer.register_forward_hook(lambda *_: value)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def without_last_layer(network: Network) -> Iterator[None]:
    """Let a network give what its last layer reads instead of logits."""
    last, classes = network.head.out, network.classes
    network.head.out, network.classes = nn.Identity(), last.in_features  # type: ignore[assignment]
    try:
        yield
    finally:
        network.head.out, network.classes = last, classes
