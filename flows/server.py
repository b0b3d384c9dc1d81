"""A local Prefect server: asking it, and one that lives as long as a single run."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from flows import services
from flows.environment import HOME, prefect_settings

CODE = Path(__file__).resolve().parents[1]
TEMPORARY = "temporary-"
TEMPORARY_PORT = 8600


def ask(url: str, path: str, body: Any = None, method: str = "GET") -> Any:
    """What the server at ``url`` answers; None when it does not, or not with success."""
    try:
        with httpx.Client(base_url=f"{url}/api/", timeout=10, trust_env=False) as client:
            answer = client.request(method, path, json=body)
        return answer.json() if answer.is_success and answer.content else None
    except (httpx.HTTPError, ValueError):
        return None


def answers(url: str, path: str) -> bool:
    """Whether the server at ``url`` answers to a GET with success."""
    return ask(url, path) is not None


def serve(root: Path, name: str, first_port: int, **mode: str) -> services.Service:
    """Start a Prefect server at 127.0.0.1 as a service and wait until it answers.

    Args:
        root: the project's folder.
        name: the service's.
        first_port: the first one to try.
        mode: further environment variables.

    Raises:
        ServiceError: it does not start.
    """
    folder = root / HOME
    with services.listener(first_port) as listening:
        port = str(listening.getsockname()[1])
        place = {"PREFECT_SERVER_API_HOST": "127.0.0.1", "PREFECT_SERVER_API_PORT": port, "PREFECT__SERVER_FINAL": "1"}
        command = [sys.executable, "-m", "uvicorn", "--factory", "flows.application:create_app", "--app-dir", str(CODE)]
        command += ["--fd", str(listening.fileno()), "--log-level", "error", "--lifespan", "on"]
        server = services.start(
            folder,
            name,
            command,
            env=prefect_settings(root) | os.environ | place | mode,
            cwd=root,
            url=f"http://127.0.0.1:{port}",
            keep=[listening.fileno()],
        )
    services.wait_until(lambda: answers(server.url, "health"), server, folder, "the Prefect server")
    return server


def temporary(root: Path) -> str:
    """Start a server that ends with this process, and return its address; its database under ``.prefect/`` stays.

    Call it before Prefect is imported: what Prefect still has to say when the process exits comes before the server's
    end then. Prefect starts one of its own where there is none, but in our process group: Ctrl-C ends it before the
    flow could tell it that it was stopped, and the flow waits two minutes for it, leaving the run "running" for ever.

    Raises:
        ServiceError: it does not start.
    """
    folder, name = root / HOME, f"{TEMPORARY}{os.getpid()}"
    _end_orphans(folder)
    atexit.register(_end, folder, name)
    # as Prefect starts its own: without the page, and without the services that only schedules need
    return serve(root, name, TEMPORARY_PORT, PREFECT_UI_ENABLED="0", PREFECT__SERVER_EPHEMERAL="1").url


def _end_orphans(folder: Path) -> None:
    """End temporary servers of processes that were killed and could not."""
    for note in folder.glob(f"{TEMPORARY}*.json"):
        if not psutil.pid_exists(int(note.stem.removeprefix(TEMPORARY))):
            _end(folder, note.stem)


def _end(folder: Path, name: str) -> None:
    services.stop(folder, name, grace=10)
    services.log_path(folder, name).unlink(missing_ok=True)
