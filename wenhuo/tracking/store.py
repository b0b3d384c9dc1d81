"""Where runs are kept: ``MLFLOW_TRACKING_URI``, or an SQLite file and a folder under ``mlruns/``."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from filelock import FileLock
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from wenhuo.errors import TrackingError

EXPERIMENT = "wenhuo"
STORE = Path("mlruns")
ARTIFACTS = STORE / "artifacts"
IGNORED = "*\n!.gitignore\n"
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Opens MLflow's pages on runs and curves, not on what is for language-model applications."""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""No telemetry, and a server that is away is noticed within a minute and not within five."""

_USER = re.compile(r"(?<=://)[^/\s'\"]*@")


def tracking_uri(root: Path = Path()) -> str:
    """``MLFLOW_TRACKING_URI``, or the embedded SQLite store's."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(root / STORE / 'mlflow.db').resolve()}"


def connect(root: Path = Path()) -> MlflowClient:
    """A client of the store, which is made when it is the embedded one and missing.

    Raises:
        TrackingError: the server or store does not answer.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):  # what they tell of their tables is nobody's concern
        logging.getLogger(name).setLevel(logging.ERROR)
    uri = tracking_uri(root)
    try:
        if not uri.startswith("sqlite:"):
            return _with_experiment(MlflowClient(uri, uri), None)
        store = (root / STORE).resolve()
        store.mkdir(exist_ok=True)
        ignored = store / ".gitignore"
        if not ignored.exists():  # the folder may have been deleted whole, and is nothing for git
            ignored.write_text(IGNORED)
        with FileLock(store / ".lock"):  # of several processes that make the schema at once all but one fail
            return _with_experiment(MlflowClient(uri, uri), (root / ARTIFACTS).resolve().as_uri())
    except (MlflowException, OSError) as error:
        raise TrackingError(
            f"MLflow at {without_password(uri)} does not answer: {first_line(error)}",
            "start the server, or unset MLFLOW_TRACKING_URI to keep runs under mlruns/",
        ) from None


def experiment_id(client: MlflowClient) -> str:
    """The id of the one experiment that all runs belong to."""
    return str(client.get_experiment_by_name(EXPERIMENT).experiment_id)


def without_password(uri: str) -> str:
    """A URI fit for messages."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def first_line(error: Exception) -> str:
    """The first line of an error's text, at most 200 characters, without what stands before an @ in addresses."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return _USER.sub("…@", line)[:200]


def _with_experiment(client: MlflowClient, artifacts: str | None) -> MlflowClient:
    if client.get_experiment_by_name(EXPERIMENT) is None:
        try:
            client.create_experiment(EXPERIMENT, artifact_location=artifacts, tags=KIND)
        except MlflowException:  # another process may have been faster
            if client.get_experiment_by_name(EXPERIMENT) is None:
                raise
    return client
