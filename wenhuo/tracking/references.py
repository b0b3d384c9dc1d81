"""What a run's id leads to: the version that was made of it, and the key of the stage that it recorded."""

from __future__ import annotations

from mlflow.exceptions import MlflowException

from wenhuo.errors import ModelError
from wenhuo.lineage import PREFIX
from wenhuo.tracking.store import connect, first_line


def version_of_run(run: str) -> str | None:
    """The address of the newest version that was made of a run; None where it was not registered.

    Raises:
        TrackingError: MLflow does not answer.
    """
    found = connect().search_model_versions(f"run_id = '{run}'")
    newest = max(found, key=lambda version: int(version.version), default=None)
    return None if newest is None else f"models:/{newest.name}/{newest.version}"


def key_of(run: str) -> str | None:
    """The key of the stage that a run recorded; None where it recorded none.

    Raises:
        ModelError: there is no such run.
        TrackingError: MLflow does not answer.
    """
    try:
        tags: dict[str, str] = connect().get_run(run).data.tags
    except MlflowException as error:
        raise ModelError(
            f"there is no run {run}: {first_line(error)}", "`make ui` shows the runs and their ids"
        ) from None
    return tags.get(f"{PREFIX}stage_key")
