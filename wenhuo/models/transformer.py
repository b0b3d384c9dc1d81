"""A transformer classifier: a backbone of the transformers library and a head of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, BertConfig, BertModel
from transformers.utils import logging as transformers_logging

from wenhuo.checkpoints import locate
from wenhuo.errors import ModelError
from wenhuo.models.heads import HEADS

TOKENS_AT_ONCE = 16_384
"""Tokens of a batch when predicting, padding included: about 200 MB of states for a backbone of BERT-base's size."""


class Network(nn.Module):
    """Backbone and head in one module; ``forward(ids, mask)`` gives logits (rows, classes)."""

    backbone: Any  # one of transformers' encoders; they share no typed interface

    def __init__(self, backbone: Any, head: str, classes: int, dropout: float) -> None:
        super().__init__()
        backbone.pooler = None  # the heads are ours; an unused pooler would be saved and would draw warnings
        self.backbone = backbone
        self.head = HEADS[head](backbone.config.hidden_size, classes, dropout)
        self.classes = classes

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of token ids and their mask, both of shape (rows, tokens)."""
        states = self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.head(states, mask)  # type: ignore[no-any-return]

    @property
    def max_positions(self) -> int | None:
        """The longest row that the backbone can take, in tokens; None where there is no such limit."""
        config = self.backbone.config
        limit = getattr(config, "max_position_embeddings", None)
        return limit - 2 if limit and config.model_type in {"roberta", "xlm-roberta", "camembert"} else limit


def scratch_backbone(*, vocabulary: int, layers: int, hidden: int, heads: int, positions: int, dropout: float) -> Any:
    """A BERT with random weights, drawn from torch's generator."""
    config = BertConfig(
        vocab_size=vocabulary,
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=positions,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,  # a third of a CPU step went into drawing it
    )
    return BertModel(config, add_pooling_layer=False)


def pretrained_backbone(name: str, revision: str | None) -> Any:
    """The encoder of a checkpoint, from a folder or a hub, in float32.

    Raises:
        SourceError: the checkpoint is not there.
        ModelError: it cannot be loaded without foreign code or pickles.
    """
    return _load_backbone(locate(name, revision).folder, name)


def _load_backbone(folder: Path, name: str) -> Any:
    transformers_logging.set_verbosity_error()  # the missing pooler and the unused language-model head are expected
    transformers_logging.disable_progress_bar()
    try:
        options = {"trust_remote_code": False, "local_files_only": True}
        config = AutoConfig.from_pretrained(folder, **options)
        return AutoModel.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{name} cannot be loaded as an encoder: {reason}", "name another checkpoint") from None


def save(network: Network, folder: Path) -> None:
    """Write the backbone as transformers writes it (``backbone/``) and the head as ``head.safetensors``."""
    transformers_logging.disable_progress_bar()
    network.backbone.save_pretrained(folder / "backbone")
    save_file({k: v.contiguous() for k, v in network.head.state_dict().items()}, folder / "head.safetensors")


def load(folder: Path, head: str, classes: int) -> Network:
    """The network that :func:`save` wrote, in evaluation mode.

    Raises:
        ModelError: a file is missing, damaged, or of another shape.
    """
    network = Network(_load_backbone(folder / "backbone", str(folder)), head, classes, dropout=0.0)
    try:
        network.head.load_state_dict(load_file(folder / "head.safetensors"))
    except Exception as error:  # safetensors raises its own kinds and RuntimeError for shapes
        raise ModelError(
            f"{folder / 'head.safetensors'} is damaged: {error}", "restore it with `dvc checkout`"
        ) from None
    return network.eval()


def pad_rows(rows: Sequence[npt.NDArray[np.int32] | list[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Ids and mask of rows filled up to the longest of them, both of shape (rows, tokens), int64."""
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def batches_by_length(lengths: npt.NDArray[np.int64], tokens: int = TOKENS_AT_ONCE) -> Iterator[npt.NDArray[np.int64]]:
    """Row positions from the longest rows to the shortest, in groups of at most ``tokens`` tokens with padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens // max(1, int(lengths[order[start]])))
        yield order[start : start + size]
        start += size


@torch.inference_mode()
def logits(
    network: Network, rows: Sequence[Any], pad: int, device: torch.device, dtype: torch.dtype
) -> npt.NDArray[np.float32]:
    """The logits of encoded rows, shape (n, classes), in the rows' order.

    Args:
        network: in evaluation mode, on ``device``.
        rows: token ids of each row.
        pad: the id that fills short rows.
        device: where to compute.
        dtype: float32, or bfloat16 for mixed precision.
    """
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    out = np.zeros((len(rows), network.classes), dtype=np.float32)
    for positions in batches_by_length(lengths):
        ids, mask = pad_rows([rows[i] for i in positions], pad)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            out[positions] = network(ids.to(device), mask.to(device)).float().cpu().numpy()
    return out
