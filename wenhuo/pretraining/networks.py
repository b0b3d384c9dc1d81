"""The networks that a pretraining begins with: drawn from torch's generator, or a checkpoint's; always in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
)
from transformers.utils import logging as transformers_logging

from wenhuo.checkpoints import locate
from wenhuo.errors import ModelError
from wenhuo.pretraining.options import SCRATCH, Pretraining
from wenhuo.refusing import refuse_weights

GENERATOR = "generator"
"""The folder in a checkpoint's that holds the generator it learnt beside."""

KNOWN = {"trust_remote_code": False, "local_files_only": True}


def masked(options: Pretraining, vocabulary: int) -> Any:
    """A masked language model.

    Raises:
        SourceError: the checkpoint is not there.
        ModelError: it is none, or cannot be loaded without foreign code or pickles.
    """
    if options.start != SCRATCH:
        return _loaded(locate(options.start, options.revision).folder, options.start)
    shape = {"hidden_size": options.hidden, "intermediate_size": options.inner or 4 * options.hidden}
    return BertForMaskedLM(BertConfig(num_attention_heads=options.heads, **shape, **_common(options, vocabulary)))


def with_generator(options: Pretraining, vocabulary: int) -> tuple[Any, Any]:
    """A discriminator and its generator, which has as many layers and heads of the same size, but fewer.

    A checkpoint without its generator gets a new one.

    Raises:
        SourceError: the checkpoint is not there.
        ModelError: it is no ELECTRA, or cannot be loaded without foreign code or pickles.
    """
    if options.start == SCRATCH:
        width = {"embedding_size": options.embedding or options.hidden, "num_attention_heads": options.heads}
        shape = {"hidden_size": options.hidden, "intermediate_size": options.inner or 4 * options.hidden}
        inner = ElectraForPreTraining(ElectraConfig(**width, **shape, **_common(options, vocabulary)))
        return inner, ElectraForMaskedLM(_smaller(inner.config, options.generator))
    folder = locate(options.start, options.revision).folder
    inner = _electra(ElectraForPreTraining, folder, options.start)
    if (folder / GENERATOR).is_dir():
        return inner, _electra(ElectraForMaskedLM, folder / GENERATOR, options.start)
    return inner, ElectraForMaskedLM(_smaller(inner.config, options.generator))


def _common(options: Pretraining, vocabulary: int) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary,
        "num_hidden_layers": options.layers,
        "max_position_embeddings": options.positions,
        "hidden_dropout_prob": 0.1,  # for those who fine-tune it
        "attention_probs_dropout_prob": 0.0,  # a third of a CPU step went into drawing it
        "pad_token_id": 0,
    }


def _smaller(config: ElectraConfig, share: float) -> ElectraConfig:
    heads = max(1, round(config.num_attention_heads * share))
    width = config.hidden_size // config.num_attention_heads * heads
    inner = max(1, round(config.intermediate_size * width / config.hidden_size))
    return ElectraConfig(
        **config.to_dict() | {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": inner}
    )


def _electra(kind: Any, folder: Path, name: str) -> Any:
    return _from_folder(kind, folder, name, "name an ELECTRA, or choose objective: masked", "electra")


def _loaded(folder: Path, name: str) -> Any:
    return _from_folder(AutoModelForMaskedLM, folder, name, "name an encoder such as BERT or RoBERTa")


def _from_folder(kind: Any, folder: Path, name: str, hint: str, wanted: str | None = None) -> Any:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    for path in sorted(folder.glob("*.safetensors")):
        refuse_weights(path, f"{name}/{path.name}")
    try:
        config = AutoConfig.from_pretrained(folder, **KNOWN)
        _check(config, wanted)
        return kind.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, **KNOWN)
    except Exception as error:  # what other people wrote may break transformers anywhere
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{name} cannot be pretrained further: {reason}", hint) from None


def _check(config: Any, wanted: str | None) -> None:
    if wanted is not None and config.model_type != wanted:
        raise ValueError(f"a {config.model_type} is no {wanted}")
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(f"a {config.model_type} is an encoder with a decoder")
    if type(config) not in AutoModelForMaskedLM._model_mapping:
        raise ValueError(f"a {config.model_type} is no masked language model")
