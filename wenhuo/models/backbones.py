"""Backbones: the encoders and decoders of transformers' AutoModel, and what differs between their families."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import nn
from transformers import AutoConfig, AutoModel, BertConfig, BertModel
from transformers.utils import logging as transformers_logging

from wenhuo.checkpoints import CONTENT, locate
from wenhuo.errors import ModelError
from wenhuo.files import sha256
from wenhuo.refusing import refuse_code, refuse_weights
from wenhuo.settings import Section


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
    """The backbone of a checkpoint, from a folder or a hub, in float32.

    Raises:
        SourceError: the checkpoint is not there.
        ModelError: it cannot be loaded without foreign code or pickles, or its weights are damaged or no numbers.
    """
    folder = locate(name, revision).folder
    for path in sorted(folder.glob("*.safetensors")):
        refuse_weights(path, f"{name}/{path.name}")
    return load_backbone(folder, name)


def load_backbone(folder: Path, name: str) -> Any:
    """The backbone in a folder, in float32.

    Raises:
        ModelError: it cannot be loaded without foreign code or pickles, or is an encoder with a decoder.
    """
    refuse_code(folder, name)
    transformers_logging.set_verbosity_error()  # the missing pooler and the unused language-model head are expected
    transformers_logging.disable_progress_bar()
    try:
        options = {"trust_remote_code": False, "local_files_only": True}
        config = AutoConfig.from_pretrained(folder, **options)
        if getattr(config, "is_encoder_decoder", False):
            raise ValueError(f"a {config.model_type} is an encoder with a decoder")
        return AutoModel.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, **options)
    except Exception as error:  # what other people wrote may break transformers anywhere
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{name} cannot be loaded as an encoder: {reason}", "name another checkpoint") from None


class Reference(Section):
    """Where the backbone of a model can be found again, for a folder that holds only what was trained."""

    name: str = Field(description="The checkpoint's folder, or its name on a hub.")
    commit: str | None = Field(description="Its commit on the hub, or the hash of its folder's content.")
    sha256: dict[str, str] = Field(description="The hash of each file of weights.")

    @classmethod
    def to(cls, name: str, commit: str | None) -> Reference:
        """A reference to a checkpoint that is here now."""
        return cls(name=name, commit=commit, sha256=_hashes(locate(name, commit).folder))

    def find(self) -> Path:
        """The checkpoint's folder, fetched when it is not here.

        Raises:
            SourceError: it cannot be found.
            ModelError: its weights are others than those that the model was trained on.
        """
        of_folder = (self.commit or "").startswith(CONTENT)  # its weights are compared here, and with better words
        folder = locate(self.name, None if of_folder else self.commit).folder
        if _hashes(folder) != self.sha256:
            raise ModelError(
                f"the weights of {self.name} are not those that the model was trained on",
                "bring the old checkpoint back, or train again with `backbone_files: copy`",
            )
        return folder


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(folder.glob("*.safetensors"))}


def blocks(backbone: Any) -> nn.ModuleList | None:
    """The list of the backbone's layers, first to last; None where layers share their weights (ALBERT)."""
    lists = (module for module in backbone.modules() if isinstance(module, nn.ModuleList))
    return next((found for found in lists if len(found) == backbone.config.num_hidden_layers and len(found)), None)


def max_positions(config: Any) -> int | None:
    """The longest row that a backbone can take, in tokens; None where there is no such limit."""
    limit = getattr(config, "max_position_embeddings", None)
    if limit is None or getattr(config, "position_biased_input", True) is False:  # DeBERTa: relative positions alone
        return None
    shifted = config.model_type in {"roberta", "xlm-roberta", "camembert"}  # their first position is after the pad id
    return int(limit) - (2 if shifted else 0)
