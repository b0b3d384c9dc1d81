"""The network of a pretraining: one of transformers' masked language models, its output layer at hidden tokens only."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForMaskedLM, BertConfig, BertForMaskedLM
from transformers.utils import logging as transformers_logging

from wenhuo.checkpoints import locate
from wenhuo.encoding.tokens import Tokenizer
from wenhuo.errors import ModelError
from wenhuo.pretraining.batches import Batch
from wenhuo.pretraining.options import SCRATCH, Pretraining
from wenhuo.pretraining.pairs import NO_PAIR


class Sums(NamedTuple):
    """Sums over a batch: loss and hits over its hidden tokens, loss over its pairs, and how many there are of each."""

    loss: Tensor
    hits: Tensor
    hidden: int
    pair_loss: Tensor
    pairs: int


class Model(nn.Module):
    """A masked language model, and a classifier of pairs on the first token's state.

    Of four fifths to nineteen twentieths of the tokens nothing is asked, so the output layer, the most expensive one of
    a small network, sees only the hidden ones: a hook takes their states out of the backbone's.
    """

    def __init__(self, inner: Any, *, paired: bool) -> None:
        super().__init__()
        self.inner = inner
        width = inner.config.hidden_size
        self.pair = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 2)) if paired else None
        self._places: Tensor | None = None
        self._first: Tensor | None = None
        inner.base_model.register_forward_hook(self._take)

    def _take(self, _module: nn.Module, _given: Any, out: Any) -> Any:
        states = out[0]
        self._first = states[:, 0]
        if self._places is not None:
            out.last_hidden_state = states.flatten(0, 1)[self._places].unsqueeze(0)
        return out

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(self, batch: Batch) -> Sums:
        """Loss and hits of a batch."""
        ids, mask, second, places, targets, labels = (torch.from_numpy(a).to(self.device) for a in batch)
        more = {} if bool((batch.mask == 1).all()) else {"attention_mask": mask}
        if getattr(self.inner.config, "type_vocab_size", 0) > 1 and self.pair is not None:
            more["token_type_ids"] = second
        self._places = places
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


def make_model(options: Pretraining, tokenizer: Tokenizer) -> Model:
    """A network from scratch, drawn from torch's generator, or that of a checkpoint; in float32.

    Raises:
        SourceError: the checkpoint is not there.
        ModelError: it is a decoder, or cannot be loaded without foreign code or pickles.
    """
    inner = _scratch(options, len(tokenizer.inner)) if options.start == SCRATCH else _loaded(options)
    _use_dropout(inner, options.dropout)
    return Model(inner, paired=options.sentences != "none")


def _scratch(options: Pretraining, vocabulary: int) -> Any:
    config = BertConfig(
        vocab_size=vocabulary,
        num_hidden_layers=options.layers,
        hidden_size=options.hidden,
        num_attention_heads=options.heads,
        intermediate_size=options.inner or 4 * options.hidden,
        max_position_embeddings=options.positions,
        hidden_dropout_prob=0.1,  # for those who fine-tune it
        attention_probs_dropout_prob=0.0,  # a third of a CPU step went into drawing it
        pad_token_id=0,
    )
    return BertForMaskedLM(config)


def _loaded(options: Pretraining) -> Any:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    folder = locate(options.start, options.revision).folder
    known = {"trust_remote_code": False, "local_files_only": True}
    try:
        config = AutoConfig.from_pretrained(folder, **known)
        if getattr(config, "is_encoder_decoder", False):
            raise ValueError(f"a {config.model_type} is an encoder with a decoder")
        if type(config) not in AutoModelForMaskedLM._model_mapping:
            raise ValueError(f"a {config.model_type} is no masked language model")
        return AutoModelForMaskedLM.from_pretrained(
            folder, config=config, use_safetensors=True, dtype=torch.float32, **known
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{options.start} cannot be pretrained further: {reason}", "name an encoder such as BERT or RoBERTa"
        ) from None


def _use_dropout(inner: Any, share: float) -> None:
    """Every dropout while it is pretrained; the configuration keeps its own for whoever fine-tunes the checkpoint."""
    for module in inner.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def longest(inner: Any) -> int | None:
    """The longest row that the network takes, in tokens; None where there is no such limit."""
    from wenhuo.models.backbones import max_positions

    return max_positions(inner.config)


def save_model(model: Model, folder: Path) -> None:
    """Write configuration and weights as transformers does; the classifier of pairs is not among them."""
    transformers_logging.disable_progress_bar()
    model.inner.save_pretrained(folder)
