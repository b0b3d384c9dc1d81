"""The network of a pretraining. Here: a masked language model of transformers', its output at hidden tokens only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from wenhuo.encoding.tokens import Tokenizer
from wenhuo.pretraining import networks
from wenhuo.pretraining.batches import Batch
from wenhuo.pretraining.options import Pretraining
from wenhuo.pretraining.pairs import NO_PAIR
from wenhuo.pretraining.places import only_at
from wenhuo.pretraining.replacing import Detector
from wenhuo.pretraining.sums import Sums


class Model(nn.Module):
    """A masked language model, and a classifier of pairs on the first token's state.

    Only the states of hidden tokens, and of each row's first one where pairs are classified, reach the output layer,
    the most expensive one of a small network.
    """

    def __init__(self, inner: Any, *, paired: bool) -> None:
        super().__init__()
        self.inner = inner
        width = inner.config.hidden_size
        self.pair = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)) if paired else None
        self._places = torch.empty(0, dtype=torch.int64)
        self._firsts = 0
        self._first: Tensor | None = None
        only_at(inner.base_model, lambda: self._places)
        inner.base_model.register_forward_hook(self._part)

    def _part(self, _module: nn.Module, _given: Any, out: Any) -> Any:
        """Keep the first tokens' states; what goes on to the output layer are the hidden ones'."""
        states = out[0][0]
        self._first, out.last_hidden_state = states[: self._firsts], states[None, self._firsts :]
        return out

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def guess_bias(self) -> Tensor:
        """The biases of a new BERT's output layer."""
        bias: Tensor = self.inner.cls.predictions.bias
        return bias

    def forward(self, batch: Batch) -> Sums:
        """Loss and hits of a batch."""
        ids, mask, second, places, targets, labels = (torch.from_numpy(a).to(self.device) for a in batch[:6])
        more = {} if bool((batch.mask == 1).all()) else {"attention_mask": mask}
        if getattr(self.inner.config, "type_vocab_size", 0) > 1 and self.pair is not None:
            more["token_type_ids"] = second
        firsts = torch.arange(len(ids), device=self.device) * ids.shape[1] if self.pair is not None else places[:0]
        self._places, self._firsts = torch.cat([firsts, places]), len(firsts)
        logits = self.inner(input_ids=ids, **more).logits[0].float()
        loss = nn.functional.cross_entropy(logits, targets, reduction="sum")
        hits = (logits.detach().argmax(-1) == targets).sum()
        pairs = int((batch.labels != NO_PAIR).sum())
        return Sums(loss, hits, len(batch.targets), self._pair_loss(labels, pairs), pairs)

    def _pair_loss(self, labels: Tensor, pairs: int) -> Tensor:
        if self.pair is None or not pairs:
            return torch.zeros((), device=self.device)
        scores = self.pair(self._first).float()
        return nn.functional.cross_entropy(scores, labels, ignore_index=NO_PAIR, reduction="sum")


Network = Model | Detector


def make_model(options: Pretraining, tokenizer: Tokenizer) -> Network:
    """A network from scratch, drawn from torch's generator, or that of a checkpoint; in float32.

    Raises:
        SourceError: the checkpoint is not there.
        ModelError: it is of another kind than the objective needs, or cannot be loaded without foreign code or pickles.
    """
    made: Network
    if options.objective == "replaced":
        made = Detector(*networks.with_generator(options, len(tokenizer.inner)))
    else:
        made = Model(networks.masked(options, len(tokenizer.inner)), paired=options.sentences != "none")
    _use_dropout(made, options.dropout)
    return made


def _use_dropout(network: nn.Module, share: float) -> None:
    """Every dropout while it is pretrained; the configuration keeps its own for whoever fine-tunes the checkpoint."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def longest(inner: Any) -> int | None:
    """The longest row that the network takes, in tokens; None where there is no such limit."""
    from wenhuo.models.backbones import max_positions

    return max_positions(inner.config)


def save_model(model: Network, folder: Path) -> None:
    """Write configuration and weights as transformers does; a generator's beside them, a classifier's of pairs not."""
    transformers_logging.disable_progress_bar()
    model.inner.save_pretrained(folder)
    if isinstance(model, Detector):
        model.generator.save_pretrained(folder / networks.GENERATOR)
