"""What MLflow's store shows, for those who look from outside: versions with their aliases, the key behind a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from wenhuo.lineage import PREFIX
from wenhuo.models.folder import CARD
from wenhuo.tracking.registry import DESCRIPTION
from wenhuo.tracking.store import STORE, connect, experiment_id

AT_ONCE = 1000


def exists(root: Path) -> bool:
    """Whether there is a store to look into; looking must not make one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (root / STORE / "mlflow.db").exists()


def every_version(root: Path) -> list[dict[str, Any]]:
    """Each registered version of ours: name, number, key, run, tags, aliases.

    Raises:
        TrackingError: MLflow does not answer.
    """
    if not exists(root):
        return []
    client = connect(root)
    aliases = {model.name: dict(model.aliases) for model in _pages(client.search_registered_models)}
    return [
        {
            "name": found.name,
            "number": int(found.version),
            "key": found.tags[f"{PREFIX}stage_key"],
            "run": found.run_id,
            "source": found.source,
            "tags": dict(found.tags),
            "aliases": sorted(a for a, n in aliases.get(found.name, {}).items() if str(n) == str(found.version)),
        }
        for found in _pages(client.search_model_versions)
        if f"{PREFIX}stage_key" in found.tags
    ]


def run_told(root: Path, run_id: str) -> dict[str, Any] | None:
    """Name, tags, parameters and metrics of a run; None when the store has none with this id."""
    if not exists(root):
        return None
    try:
        found = connect(root).get_run(run_id)
    except MlflowException:
        return None
    data = found.data
    return {"name": found.info.run_name, "tags": dict(data.tags), "metrics": dict(data.metrics)}


def runs_with(root: Path, tag: str, value: str) -> list[dict[str, Any]]:
    """Id, name and tags of the runs whose tag has a value.

    Args:
        root: the project's folder.
        tag: its name.
        value: without quotation marks.
    """
    if not exists(root):
        return []
    client = connect(root)
    found = client.search_runs([experiment_id(client)], f"tags.`{tag}` = '{value}'", max_results=AT_ONCE)
    return [{"run": one.info.run_id, "name": one.info.run_name, "tags": dict(one.data.tags)} for one in found]


def _pages(search: Any) -> list[Any]:
    """All that a search of MLflow's finds, page after page."""
    found, token = [], None
    while True:
        page = search(max_results=AT_ONCE, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def local_model(root: Path, source: str) -> Path | None:
    """The folder of a registered model as the store keeps it on this machine; None when it keeps it elsewhere.

    Args:
        root: the project's folder.
        source: of the version, such as ``models:/m-0123``.
    """
    from urllib.parse import unquote, urlparse

    try:
        location = source
        if source.startswith("models:/"):
            location = connect(root).get_logged_model(source.removeprefix("models:/")).artifact_location
    except MlflowException:
        return None
    address = urlparse(str(location))
    if address.scheme not in ("", "file"):
        return None
    found = sorted(Path(unquote(address.path)).glob(f"artifacts/*/{CARD}"))
    return found[0].parent if len(found) == 1 else None


def skip_to(client: MlflowClient, name: str, number: int) -> None:
    """Let the next version of a model get this number: MLflow counts on from deleted ones.

    Args:
        client: of the store.
        name: the registered model, made when there is none.
        number: the next version's; smaller ones are taken, each by an empty version that is deleted at once.
    """
    try:
        client.create_registered_model(name, description=DESCRIPTION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    taken = max((int(one.version) for one in client.search_model_versions(f"name = '{name}'")), default=0)
    for _ in range(taken + 1, number):
        empty = client.create_model_version(name, f"runs:/{'0' * 32}/gone")
        client.delete_model_version(name, empty.version)
        if int(empty.version) >= number - 1:
            return
