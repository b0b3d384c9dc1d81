"""A model as people name it, and the folder where it lies.

- ``mini``: a candidate under ``models/``; ``models/mini``: a folder;
- ``wenhuo-sample/3``, ``wenhuo-sample@champion``, ``models:/…``: a registered version;
- ``3``, ``champion``: a version of the model that the last run registered;
- a run's id of 32 hexadecimal digits: the version that was made of it, or the candidate that lies here still.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from wenhuo.errors import ModelError
from wenhuo.files import read_json
from wenhuo.models.classifier import model_folder
from wenhuo.models.folder import CARD
from wenhuo.serving import CHAMPION, champion_address, registered_model

RUN = re.compile(r"(?:runs:/)?([0-9a-f]{32})")
VERSION = re.compile(r"[^/@:]+(?:/[0-9]+|@[^/@:]+)")
CANDIDATES = Path("models")


@dataclass(frozen=True)
class Named:
    """A model's name, as it is shown, and its folder."""

    name: str
    folder: Path


def find(reference: str | None) -> Named:
    """The model that a reference names; without one the champion of the last run.

    Raises:
        ModelError: there is no such model.
        TrackingError: MLflow does not answer.
    """
    if reference is None:
        address = champion_address()
        return Named(address.removeprefix("models:/"), model_folder(address))
    if (Path(reference) / CARD).exists():
        return Named(reference, Path(reference))
    if (CANDIDATES / reference / CARD).exists():
        return Named(reference, CANDIDATES / reference)
    if run := RUN.fullmatch(reference):
        return Named(f"run {run[1][:8]}", _of_run(run[1]))
    address = _address(reference)
    return Named(address.removeprefix("models:/"), model_folder(address))


def _address(reference: str) -> str:
    """The address in the registry.

    Raises:
        ModelError: it is none.
    """
    if reference.startswith("models:/"):
        return reference
    if reference.isdigit():
        return f"models:/{registered_model()}/{reference}"
    if reference == CHAMPION:
        return champion_address()
    if VERSION.fullmatch(reference):
        return f"models:/{reference}"
    raise ModelError(
        f"there is no model {reference}",
        "name a candidate (mini), a folder, a version (wenhuo-sample/3, or 3), champion, or the id of a run",
    )


def _of_run(run: str) -> Path:
    from wenhuo.tracking.references import key_of, version_of_run

    if address := version_of_run(run):
        return model_folder(address)
    key = key_of(run)
    for folder in sorted(path.parent for path in CANDIDATES.glob(f"*/{CARD}")):
        if key and key == _key_here(folder):
            return folder
    raise ModelError(
        f"the model of run {run} is gone: it was not registered, and what lies under models/ is of other runs",
        "check out its commit and run `dvc checkout`, or `dvc repro`",
    )


def _key_here(folder: Path) -> str | None:
    """The key of the stage that made what lies in a folder now; None where dvc.lock does not say."""
    from wenhuo.errors import GraphError
    from wenhuo.lineage import candidate_stage, identify_made

    try:
        kind = read_json(folder / CARD).get("kind", "")
        return identify_made(candidate_stage(folder.name, kind)).key
    except (GraphError, ValueError):
        return None
