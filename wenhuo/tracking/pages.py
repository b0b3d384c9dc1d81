"""MLflow's own pages over the embedded store: one worker and no job runner, 0.4 GB instead of 2.5."""

from __future__ import annotations

import os
import socket
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from wenhuo.console import say
from wenhuo.errors import TrackingError
from wenhuo.tracking.browsing import FOLDERS, OWN_STORE
from wenhuo.tracking.store import ARTIFACTS, EXPERIMENT, connect, tracking_uri, without_password

APP = "wenhuo"
"""The name under which this package offers :func:`wenhuo.tracking.browsing.create_app` to MLflow."""
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
ALLOWED = "MLFLOW_SERVER_ALLOWED_HOSTS"
NAMES = "localhost,localhost:*,127.0.0.1,127.0.0.1:*,[::1],[[]::1]:*"
"""Whom a request may take us for: MLflow by itself also lets ``10.*`` pass, and so a site called 10.example.com."""


def serve(root: Path, host: str, port: int) -> None:
    """Replace this process by MLflow's server.

    Raises:
        TrackingError: the port is taken, the store is a server already, or this package is not installed as it is now.
    """
    uri = tracking_uri(root)
    if uri.startswith(("http:", "https:")):
        raise TrackingError(f"MLflow is served at {without_password(uri)} already", "open that in a browser")
    if not any(app.name == APP for app in entry_points(group="mlflow.app")):
        raise TrackingError("the installed wenhuo is older than its code", "run `make setup`, or install it again")
    _check_free(host, port)
    client = connect(root)
    say(f"MLflow: http://{host}:{port} (Ctrl+C ends it)")
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", APP, "--host", host, "--port", str(port)]
    command += ["--workers", "1", "--no-serve-artifacts"]
    command += ["--default-artifact-root", (root / ARTIFACTS).resolve().as_uri()]
    os.execve(sys.executable, command, os.environ | _settings(root, client, uri, host))  # noqa: S606


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise TrackingError(
                f"{host}:{port} cannot be used: {error.strerror}", "choose another with --port"
            ) from None


def _settings(root: Path, client: Any, uri: str, host: str) -> dict[str, str]:
    """What the server is told by its environment, where no list of processes shows a password."""
    folders, own = [(root / ARTIFACTS).resolve()], not os.environ.get("MLFLOW_TRACKING_URI")
    location = urlsplit(client.get_experiment_by_name(EXPERIMENT).artifact_location)
    if not own and location.scheme in ("", "file"):
        folders.append(Path(unquote(location.path)))
    told = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_BACKEND_STORE_URI": uri}
    told |= {FOLDERS: os.pathsep.join(map(str, folders)), OWN_STORE: "yes" if own else ""}
    ours = host in THIS_MACHINE and ALLOWED not in os.environ
    return told | ({ALLOWED: NAMES} if ours else {})
