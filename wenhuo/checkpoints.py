"""Checkpoints by folder, by hub name, or built in: fetched once, recorded with their commit; no foreign code is run.

A folder on this machine has no commit; the hash of its content stands for one, so that what was made of it is made
again when it changes. ``builtin:NAME`` is a folder that comes with this package (``wenhuo/backbones/NAME``).
"""

from __future__ import annotations

import hashlib
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
from wenhuo.files import read_json, sha256
from wenhuo.refusing import refuse_code

CONTENT = "sha256:"
"""How the hash that stands for a folder's commit begins."""

BUILT_IN = "builtin:"
"""How the names of checkpoints that come with this package begin."""

SHIPPED = Path(__file__).parent / "backbones"
"""Where they stand, a folder each."""

PATTERNS = ["*.json", "*.safetensors", "*.txt", "*.model"]
"""What is fetched: configuration, weights and vocabularies; neither code nor pickles."""

RECORD = "pretraining.json"
"""What our own pretraining wrote in a checkpoint's folder about its course and those before; loading reads it not."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on this machine; ``commit`` is the hub's commit hash, or the hash of a folder's content."""

    folder: Path
    commit: str


def locate(name: str, revision: str | None = None) -> Checkpoint:
    """The folder of a checkpoint, fetched from the hub (``HF_ENDPOINT``) when it is not here yet.

    Args:
        name: a folder, ``owner/name`` on the hub, or ``builtin:NAME``.
        revision: commit hash, tag or branch on the hub; of a folder the hash of its content (``sha256:…``), and what
            else is given says nothing of it.

    Raises:
        SourceError: no such checkpoint or revision, the hub is out of reach, the weights are not safetensors, or the
            folder holds something else than the revision says.
        ModelError: its configuration asks for foreign code.
    """
    folder = shipped(name) if name.startswith(BUILT_IN) else Path(name).expanduser()
    if folder.is_dir():
        return _unchanged(name, _checked(name, Checkpoint(folder, content_hash(folder))), revision)
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


def shipped(name: str) -> Path:
    """The folder of ``builtin:NAME``.

    Raises:
        SourceError: there is none of this name.
    """
    known = sorted(path.parent.name for path in SHIPPED.glob("*/config.json"))
    if name.removeprefix(BUILT_IN) not in known:
        hint = f"name one of {', '.join(BUILT_IN + one for one in known)}" if known else "this copy of wenhuo has none"
        raise SourceError(f"there is no built-in checkpoint {name}", hint)
    return SHIPPED / name.removeprefix(BUILT_IN)


def content_hash(folder: Path) -> str:
    """A hash of what is loaded from a folder: configuration, weights, vocabularies."""
    files = sorted(
        {path for pattern in PATTERNS for path in folder.glob(pattern) if path.is_file()} - {folder / RECORD}
    )
    listed = "".join(f"{sha256(path)} {path.name}\n" for path in files)
    return CONTENT + hashlib.sha256(listed.encode()).hexdigest()


def longest_learnt(folder: Path) -> int | None:
    """Tokens of the longest rows that a checkpoint was pretrained on; None where no record says so.

    What a network does at positions that it has never seen is chance, however many it has.
    """
    if not (folder / RECORD).is_file():
        return None
    record = read_json(folder / RECORD)
    if not isinstance(record, dict) or record.get("format") != 1:  # somebody else's file of this name
        return None
    courses = [*record.get("before", ()), record]
    if courses[0]["options"]["start"] != "scratch":
        return None
    return max(int(course["options"]["max_tokens"]) for course in courses)


def _unchanged(name: str, checkpoint: Checkpoint, revision: str | None) -> Checkpoint:
    if (revision or "").startswith(CONTENT) and revision != checkpoint.commit:
        raise SourceError(
            f"{name} holds {checkpoint.commit[:19]}…, and not {revision}",
            "bring back what it was, or run `dvc repro` to encode and train with what it is",
        )
    return checkpoint


def _checked(name: str, checkpoint: Checkpoint) -> Checkpoint:
    if not (checkpoint.folder / "config.json").exists():
        raise SourceError(f"{name} holds no config.json", "name a checkpoint of the transformers library")
    if not any(checkpoint.folder.glob("*.safetensors")):
        raise SourceError(
            f"{name} holds no safetensors weights, and wenhuo loads no pickles",
            "name a revision that has model.safetensors, or convert the checkpoint once and give its folder",
        )
    refuse_code(checkpoint.folder, name)
    return checkpoint
