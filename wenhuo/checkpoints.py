"""Checkpoints by folder or by hub name: fetched once, recorded with their commit, loaded without foreign code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from wenhuo.errors import SourceError

PATTERNS = ["*.json", "*.safetensors", "*.txt", "*.model"]
"""What is fetched: configuration, weights and vocabularies; neither code nor pickles."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on this machine; ``commit`` is the hub's commit hash, None for a folder of one's own."""

    folder: Path
    commit: str | None


def locate(name: str, revision: str | None = None) -> Checkpoint:
    """The folder of a checkpoint, fetched from the hub (``HF_ENDPOINT``) when it is not here yet.

    Args:
        name: a folder, or ``owner/name`` on the hub.
        revision: commit hash, tag or branch on the hub.

    Raises:
        SourceError: no such checkpoint or revision, the hub is out of reach, or the weights are not safetensors.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _checked(name, Checkpoint(folder, None))
    try:
        fetched = Path(snapshot_download(name, revision=revision, allow_patterns=PATTERNS))
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        place = f"{name} at revision {revision}" if revision else name
        raise SourceError(
            f"there is no checkpoint {place}: {str(error).splitlines()[0]}", "give a folder that exists, or a hub name"
        ) from None
    except (LocalEntryNotFoundError, OSError) as error:
        raise SourceError(
            f"the hub cannot be reached for {name}: {str(error).splitlines()[0]}",
            "check the network or HF_ENDPOINT, or give the folder of a checkpoint on this machine",
        ) from None
    return _checked(name, Checkpoint(fetched, fetched.name))


def _checked(name: str, checkpoint: Checkpoint) -> Checkpoint:
    if not (checkpoint.folder / "config.json").exists():
        raise SourceError(f"{name} holds no config.json", "name a checkpoint of the transformers library")
    if not any(checkpoint.folder.glob("*.safetensors")):
        raise SourceError(
            f"{name} holds no safetensors weights, and wenhuo loads no pickles",
            "name a revision that has model.safetensors, or convert the checkpoint once and give its folder",
        )
    return checkpoint
