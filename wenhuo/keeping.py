"""What DVC does not know of a result and git keeps: small files under ``reports/lineage/``, each written once.

``runs/KEY.json``      what the MLflow run of a stage says: name, parameters, data, and the circumstances it was made in
                       (commit, machine, environment, flow); KEY is the stage's
``measured/KEY.json``  when a model was first evaluated: figures of a clock, and the hash of dvc.lock
``locks/HASH.lock``    dvc.lock as it was when models were evaluated and a winner was registered, named by its SHA-256
``versions/NAME@N.json``    a registered version: its number, its tags, the key of the stage that trained it

With these and DVC's cache ``wenhuo trace`` explains old versions, and ``wenhuo restore`` rebuilds MLflow's store. They
stand in git (``reports/.gitignore`` lets them through) because they depend on when and where things were made, which
outputs of the graph must not. A file is never changed, so that branches merge without conflicts.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from wenhuo.errors import DataError
from wenhuo.files import read_json, sha256, whole, write_json

FOLDER = Path("reports/lineage")


def keep_run(root: Path, key: str, told: Mapping[str, Any]) -> None:
    """Keep what a run says, unless that is kept already."""
    _keep(root / FOLDER / "runs" / f"{key}.json", told)


def kept_run(root: Path, key: str) -> dict[str, Any] | None:
    """What the run of the stage with this key says; None when nobody kept it."""
    return _kept(root / FOLDER / "runs" / f"{key}.json")


def kept_runs(root: Path) -> list[dict[str, Any]]:
    """What every run says that was kept, by stage and key."""
    found = [_kept(path) for path in (root / FOLDER / "runs").glob("*.json")]
    return sorted(filter(None, found), key=lambda one: (one["stage"], one["key"]))


def keep_measured(root: Path, key: str, figures: Mapping[str, float]) -> tuple[dict[str, float], str | None]:
    """Keep figures that a clock gave of the model with this key, and dvc.lock as it is, unless that was done before.

    Returns:
        The figures and the SHA-256 of dvc.lock that are kept.
    """
    path = root / FOLDER / "measured" / f"{key}.json"
    if figures and not path.exists():
        _keep(path, {"figures": dict(figures), "dvc_lock_sha256": keep_lock(root)})
    kept = _kept(path) or {}
    return kept.get("figures", {}), kept.get("dvc_lock_sha256")


def keep_lock(root: Path) -> str | None:
    """Keep a copy of dvc.lock as it is now, and return its SHA-256; None when there is none."""
    lock = root / "dvc.lock"
    if not lock.exists():
        return None
    found = sha256(lock)
    target = root / FOLDER / "locks" / f"{found}.lock"
    if not target.exists():
        with whole(target) as made:
            made.write_bytes(lock.read_bytes())
    return found


def kept_locks(root: Path) -> dict[str, Path]:
    """The copies of dvc.lock by their hash."""
    return {path.stem: path for path in sorted((root / FOLDER / "locks").glob("*.lock"))}


def keep_version(root: Path, name: str, number: int, told: Mapping[str, Any]) -> None:
    """Keep what a registered version says, unless that is kept already."""
    _keep(_version_path(root, name, number), {"name": name, "number": number, **told})


def kept_versions(root: Path) -> list[dict[str, Any]]:
    """Every version that was kept, by name and number."""
    found = [_kept(path) for path in (root / FOLDER / "versions").glob("*.json")]
    return sorted(filter(None, found), key=lambda one: (one["name"], one["number"]))


def is_empty(root: Path) -> bool:
    """Whether the embedded MLflow store has no run, as after it was deleted; asked without MLflow, in milliseconds."""
    store = root / "mlruns" / "mlflow.db"
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return False
    if not store.exists():
        return True
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as database:
        try:
            return database.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is None
        except sqlite3.Error:
            return False


def _version_path(root: Path, name: str, number: int) -> Path:
    return root / FOLDER / "versions" / f"{name.replace(os.sep, '_')}@{number}.json"


def _keep(path: Path, told: Mapping[str, Any]) -> None:
    if not path.exists():
        write_json(path, dict(told))


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = read_json(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}", f"restore it: git checkout {path}") from None
    return told
