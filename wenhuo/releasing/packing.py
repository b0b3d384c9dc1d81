"""A pretrained network as it ships: weights in half precision, configuration, tokenizer, record and card.

Each weight is the half (16 bits, IEEE 754) nearest to what was learnt. The configuration says float32, and so
transformers loads them: 24 bits hold every half exactly. What is measured is measured after packing.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wenhuo.checkpoints import RECORD
from wenhuo.errors import ModelError
from wenhuo.files import read_json, sha256, whole, write_json, write_text
from wenhuo.releasing.card import Release, card

WEIGHTS = "model.safetensors"
CONFIGURATION = "config.json"
CARD = "README.md"
LARGEST = 65504.0
"""The largest half; what is beyond becomes infinite."""
TOKENIZER = "tokenizer_config.json"
KEPT = ("tokenizer.json", "special_tokens_map.json", "vocab.txt")
OF_LOADING = {"is_local", "local_files_only", "name_or_path"}
"""What transformers notes in the tokenizer's configuration of how it was loaded the last time."""


@dataclass(frozen=True)
class Limits:
    """How large what ships may be: parameters of the network, bytes of all files."""

    parameters: int = 12_000_000
    bytes: int = 16_000_000


def pack(backbone: Path, target: Path, release: Release, limits: Limits = Limits()) -> dict[str, Any]:
    """Write a pretrained network to ``target`` as it ships.

    Args:
        backbone: the folder that the pretraining wrote.
        target: a folder; it is replaced.
        release: what the card says beside what the folder knows.
        limits: of the size.

    Returns:
        Parameters, bytes and the hash of the weights.

    Raises:
        ModelError: the network is too large, or a weight is no number or too large for half precision.
    """
    with whole(target) as made:
        made.mkdir(parents=True)
        parameters = _write_half(backbone / WEIGHTS, made / WEIGHTS)
        write_json(made / CONFIGURATION, _configuration(read_json(backbone / CONFIGURATION)))
        tokenizer = read_json(backbone / TOKENIZER)
        write_json(made / TOKENIZER, {key: value for key, value in tokenizer.items() if key not in OF_LOADING})
        for name in KEPT:
            if (backbone / name).exists():
                shutil.copyfile(backbone / name, made / name)
        about = {"parameters": parameters, "sha256": sha256(made / WEIGHTS)}
        record = {**read_json(backbone / RECORD), "packed": about["sha256"]}
        write_json(made / RECORD, record)
        write_text(made / CARD, card(record, about, release))
        about["bytes"] = _size(made)
        _check(about, limits)
    return about


def _write_half(source: Path, target: Path) -> int:
    """Write weights as halves; return how many there are."""
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(source)
    for name, tensor in tensors.items():
        if not bool((tensor.abs() <= LARGEST).all()):  # NaN is not <= anything
            raise ModelError(f"{name} holds weights that half precision cannot", "lower the learning rate or clip more")
    halves = {name: tensor.to(torch.float16).contiguous() for name, tensor in tensors.items()}
    save_file(halves, target, metadata={"format": "pt"})
    target.chmod(0o644)  # safetensors lets nobody else read it
    return sum(tensor.numel() for tensor in tensors.values())


def _configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration, made to load in float32 whatever precision the file has."""
    return {key: value for key, value in config.items() if key != "torch_dtype"} | {"dtype": "float32"}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _check(about: Mapping[str, Any], limits: Limits) -> None:
    for what, most in (("parameters", limits.parameters), ("bytes", limits.bytes)):
        if about[what] > most:
            raise ModelError(f"the backbone has {about[what]:,} {what}, more than {most:,}", "make it smaller")
