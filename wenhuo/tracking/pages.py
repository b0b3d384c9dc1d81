"""MLflow's own pages over the embedded store: one worker and no job runner, 0.4 GB instead of 2.5."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from wenhuo.console import say
from wenhuo.errors import TrackingError
from wenhuo.tracking.store import STORE, connect, tracking_uri


def serve(root: Path, host: str, port: int) -> None:
    """Replace this process by MLflow's server.

    Raises:
        TrackingError: the port is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise TrackingError(
                f"{host}:{port} cannot be used: {error.strerror}", "choose another with --port"
            ) from None
    connect(root)
    say(f"MLflow: http://{host}:{port} (Ctrl+C ends it)")
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        tracking_uri(root),
        "--default-artifact-root",
        (root / STORE / "artifacts").resolve().as_uri(),
    ]
    os.execve(sys.executable, command, os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})  # noqa: S606
