"""A transformer classifier: a backbone of the transformers library and a head of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from wenhuo.encoding.options import Pool
from wenhuo.errors import ModelError, SettingsError
from wenhuo.files import read_json, write_json
from wenhuo.models.backbones import Reference, load_backbone, max_positions
from wenhuo.models.dropout import Dropout, make_cheap
from wenhuo.models.folder import REFERENCE
from wenhuo.models.heads import Head, Shape
from wenhuo.models.tuning import AnyAdapter

BACKBONE, ADAPTER = "backbone", "adapter"

Positions = npt.NDArray[np.int64]

TOKENS_AT_ONCE = 16_384
"""Tokens of a batch when predicting, padding included: about 200 MB of states for a backbone of BERT-base's size."""


class Classification(nn.Module):
    """What stands on a backbone: a head's modules, dropout, and the linear layer that makes the logits."""

    def __init__(self, head: Head, shape: Shape, classes: int, dropout: float) -> None:
        super().__init__()
        self.options = head
        parts = head.parts(shape)
        self.names = tuple(parts)
        for name, part in parts.items():
            setattr(self, name, part)
        self.dropout = Dropout(dropout)
        self.out = nn.Linear(head.width(shape), classes)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (rows, classes), of what the head's ``features`` made of the states."""
        parts = {name: getattr(self, name) for name in self.names}
        return self.out(self.dropout(self.options.pooled(parts, features, mask)))  # type: ignore[no-any-return]


class Network(nn.Module):
    """Backbone and head in one module; ``forward(ids, mask)`` gives logits (rows, classes).

    Raises:
        SettingsError: the head reads more layers than the backbone has.
    """

    backbone: Any  # one of transformers' models; they share no typed interface

    def __init__(self, backbone: Any, head: Head, classes: int, dropout: float) -> None:
        super().__init__()
        backbone.pooler = None  # the heads are ours; an unused pooler would be saved and would draw warnings
        make_cheap(backbone)
        self.backbone = backbone
        shape = Shape(backbone.config.hidden_size, backbone.config.num_hidden_layers + 1)
        self.states = head.states(shape)
        if self.states > shape.states:
            raise SettingsError(
                f"the head {head.kind} reads {self.states} layers, but the backbone has {shape.states - 1}",  # type: ignore[attr-defined]
                "give the head fewer layers",
            )
        known = signature(backbone.forward).parameters
        self.more = {"use_cache": False} if "use_cache" in known else {}  # a decoder would keep keys for a next token
        self.head = Classification(head, shape, classes, dropout)
        self.classes = classes

    def features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What the head's trained part reads of token ids and their mask, both of shape (rows, tokens)."""
        several = self.states > 1
        made = self.backbone(input_ids=ids, attention_mask=mask, output_hidden_states=several, **self.more)
        states = [*made.hidden_states[-self.states : -1], made.last_hidden_state] if several else [made[0]]
        return self.head.options.features(states, mask)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits of token ids and their mask, both of shape (rows, tokens)."""
        return self.head(self.features(ids, mask), mask)  # type: ignore[no-any-return]

    @property
    def max_positions(self) -> int | None:
        """The longest row that the backbone can take, in tokens; None where there is no such limit."""
        return max_positions(self.backbone.config)


def save(network: Network, folder: Path, adapter: AnyAdapter | None = None, reference: Reference | None = None) -> None:
    """Write the head (``head.safetensors``), the adapter (``adapter/``) and the backbone (``backbone/``).

    An adapted network is taken apart by this: its adapter is merged, or written and taken off, and it is not to be
    used afterwards.

    Args:
        network: what is saved.
        folder: where; it exists.
        adapter: which adapter the backbone carries.
        reference: where the backbone can be found again, written instead of the backbone.
    """
    transformers_logging.disable_progress_bar()
    if adapter is not None:
        from wenhuo.models import adapters

        if not adapter.merge:
            adapters.save(network.backbone, folder / ADAPTER)
        network.backbone = adapters.plain_backbone(network.backbone, merge=adapter.merge)
    if reference is None:
        network.backbone.save_pretrained(folder / BACKBONE)
    else:
        write_json(folder / REFERENCE, reference.model_dump())
    save_file({k: v.contiguous() for k, v in network.head.state_dict().items()}, folder / "head.safetensors")


def load(folder: Path, head: Head, classes: int, adapter: AnyAdapter | None = None) -> Network:
    """The network that :func:`save` wrote, in evaluation mode.

    Args:
        folder: the model's folder.
        head: the card's.
        classes: how many there are.
        adapter: the card's; None where there is none, or it was merged.

    Raises:
        ModelError: a file is missing, damaged, or of another shape, or the backbone is no longer what it was.
        SourceError: the backbone is only referred to, and cannot be found.
    """
    network = Network(_stored_backbone(folder), head, classes, dropout=0.0)
    if adapter is not None:
        from wenhuo.models import adapters

        network.backbone = adapters.load(network.backbone, adapter, folder / ADAPTER)
    try:
        network.head.load_state_dict(load_file(folder / "head.safetensors"))
    except Exception as error:  # safetensors raises its own kinds and RuntimeError for shapes
        raise ModelError(
            f"{folder / 'head.safetensors'} is damaged: {error}", "restore it with `dvc checkout`"
        ) from None
    return network.eval()


def _stored_backbone(folder: Path) -> Any:
    path = folder / REFERENCE
    if not path.exists():
        return load_backbone(folder / BACKBONE, str(folder))
    try:
        reference = Reference.model_validate(read_json(path))
    except ValueError as error:
        raise ModelError(f"{path} is damaged: {error}", "restore it with `dvc checkout`") from None
    return load_backbone(reference.find(), reference.name)


def pad_rows(rows: Sequence[npt.NDArray[np.int32] | list[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Ids and mask of rows filled up to the longest of them, both of shape (rows, tokens), int64."""
    width = max(len(row) for row in rows)
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def pool(scores: Tensor, counts: Sequence[int] | None, how: Pool) -> Tensor:
    """One row of logits a text from those of its windows: their mean, or the largest of each class.

    Args:
        scores: shape (windows, classes), the windows of a text one after the other.
        counts: windows of each text; None: one each.
        how: mean or max.
    """
    if counts is None:
        return scores
    fill = 0.0 if how == "mean" else float("-inf")
    beside = nn.utils.rnn.pad_sequence(list(torch.split(scores, list(counts))), batch_first=True, padding_value=fill)
    if how == "max":
        return beside.amax(1)
    return beside.sum(1) / torch.tensor(counts, device=scores.device).unsqueeze(1)


def batches_by_length(lengths: Positions, tokens: int = TOKENS_AT_ONCE) -> Iterator[Positions]:
    """Row positions from the longest rows to the shortest, in groups of at most ``tokens`` tokens with padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens // max(1, int(lengths[order[start]])))
        yield order[start : start + size]
        start += size


def in_memory(run: Callable[[Positions], None], positions: Positions) -> None:
    """Run a batch, or its halves where memory runs out.

    Raises:
        ModelError: memory runs out with a single row.
    """
    try:
        run(positions)
        return
    except torch.OutOfMemoryError:
        if len(positions) == 1:
            raise ModelError("out of memory with a single row", "lower the encoder's max_tokens") from None
    middle = len(positions) // 2
    in_memory(run, positions[:middle])
    in_memory(run, positions[middle:])


@torch.no_grad()  # not inference_mode: weights that sharding gathers in it cannot be trained afterwards
def logits(
    network: Network, rows: Sequence[Any], pad: int, device: torch.device, dtype: torch.dtype
) -> npt.NDArray[np.float32]:
    """The logits of encoded rows (texts or windows), shape (n, classes), in the rows' order.

    Args:
        network: in evaluation mode, on ``device``.
        rows: token ids of each row.
        pad: the id that fills short rows.
        device: where to compute.
        dtype: float32, or bfloat16 for mixed precision.
    """
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    out = np.zeros((len(rows), network.classes), dtype=np.float32)

    def fill(positions: Positions) -> None:
        ids, mask = pad_rows([rows[i] for i in positions], pad)
        with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
            out[positions] = network(ids.to(device), mask.to(device)).float().cpu().numpy()

    for positions in batches_by_length(lengths):
        in_memory(fill, positions)
    return out
