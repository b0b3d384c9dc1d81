"""What is refused before any of it is loaded: pickles, code, configurations that ask for code, weights that are none.

Model folders and checkpoints come from other people: a registry, a hub, a colleague's disk. Loading a pickle runs its
author's code, and so do some configurations of transformers.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from safetensors import SafetensorError, safe_open

from wenhuo.errors import ModelError

ALLOWED_ENDINGS = {".json", ".safetensors", ".txt", ".parquet", ".model"}
CODE = ("auto_map", "custom_pipelines")
"""Names under which a configuration of transformers says where its code stands."""
KERNELS = ("attn_implementation", "_attn_implementation")
"""Names under which it may ask for a kernel of a hub's: one whose name has a slash is fetched and run."""
ADAPTER = "adapter_config.json"
"""Beside a network's configuration it makes transformers load another network, from the place that it names."""

NUMPYS = {"F16", "F32", "F64", "BOOL", *(f"{sign}{bits}" for sign in "IU" for bits in (8, 16, 32, 64))}
"""The kinds of numbers that NumPy knows; for others torch is asked, whose import takes 1.5 s."""


def refuse_foreign(folder: Path) -> None:
    """Stop at a pickle, code, a link that leads nowhere or to a folder, and at what the other functions here refuse.

    Raises:
        ModelError: the folder of a model holds such a thing.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_symlink() and not path.resolve().is_file():
            raise ModelError(f"{folder} is refused: {name} is a link to no file", "restore it with `dvc checkout`")
        if not path.is_dir() and (not path.is_file() or path.suffix not in ALLOWED_ENDINGS):
            raise ModelError(
                f"{folder} is refused: {name} is neither weights nor configuration", "remove it if you trust the rest"
            )
        if path.suffix == ".json":
            _refuse_code(path, folder, str(name))
        if path.suffix == ".safetensors":
            refuse_weights(path, str(name))


def refuse_code(folder: Path, name: str) -> None:
    """Stop at a configuration that asks for code, or for another network than the one beside it.

    Other files of a checkpoint, such as pickled weights, are never opened.

    Args:
        folder: a checkpoint's.
        name: what people call it.

    Raises:
        ModelError: it holds such a configuration.
    """
    if (folder / ADAPTER).exists():
        what = f"{name} is refused: {ADAPTER} makes it another network's adapter"
        raise ModelError(what, "merge the adapter into its network, and give the folder of that")
    for path in sorted(folder.glob("*.json")):
        _refuse_code(path, name, path.name)


def refuse_weights(path: Path, name: str) -> None:
    """Stop at a safetensors file whose header does not fit its size, and at weights that are NaN or infinite.

    Raises:
        ModelError: the file is such a one.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            kinds = {key: file.get_slice(key).get_dtype() for key in file.keys()}  # noqa: SIM118 -- not a dict
            known = {key for key, kind in kinds.items() if kind in NUMPYS}
            bad = [key for key in kinds if key in known and not np.isfinite(file.get_tensor(key)).all()]
        bad += _bad_in_torch(path, kinds.keys() - known)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{name} is damaged: {error}", "restore it with `dvc checkout`") from None
    if bad:
        raise ModelError(f"{name} is refused: {bad[0]} holds NaN or infinite weights", "train again")


def _bad_in_torch(path: Path, keys: Collection[str]) -> list[str]:
    """Those of some tensors that are no numbers; for the kinds that NumPy does not know, such as bfloat16."""
    if not keys:
        return []
    import torch

    with safe_open(path, framework="pt") as file:
        return [key for key in sorted(keys) if not torch.isfinite(file.get_tensor(key).float()).all()]


def _refuse_code(path: Path, folder: Path | str, name: str) -> None:
    found = _asks_for_code(path)
    if found is not None:
        raise ModelError(
            f"{folder} is refused: {name} asks for foreign code ({found})", "use a model without such code"
        )


def _asks_for_code(path: Path) -> str | None:
    """The name under which a configuration, or one inside of it, asks for code; None where it does not.

    A vocabulary may hold the same word, with a number. Nothing here recurses: a file may be as deep as it likes.
    """
    pending = [_read(path)]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found = next((key for key in value if _names_code(key, value[key])), None)
            if found is not None:
                return str(found)
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return None


def _names_code(key: str, value: Any) -> bool:
    if key in CODE:
        return isinstance(value, dict | list | str)
    return key in KERNELS and isinstance(value, dict | str) and "/" in str(value)


def _read(path: Path) -> Any:
    """A file's JSON, also such as only Python reads (NaN, a lone surrogate); None where it is none for anybody."""
    content = path.read_bytes()
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return None  # whoever reads the file says so
