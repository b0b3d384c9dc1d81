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


def temporary(root: Path) -> str:
    """Start a server that ends with this process, and return its address; its database under ``.prefect/`` stays.

    Call it before Prefect is imported: what Prefect still has to say when the process exits comes before the server's
    end then. Prefect starts one of its own where there is none, but in our process group: Ctrl-C ends it before the
    flow could tell it that it was stopped, and the flow waits two minutes for it, leaving the run "running" for ever.

    Raises:
        ServiceError: it does not start.
    """
    folder = root / HOME
    _end_orphans(folder)
    name, port = f"{TEMPORARY}{os.getpid()}", services.free_port(TEMPORARY_PORT)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"]
    # as Prefect starts its own: without the page, and without the services that only schedules need
    mode = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
    atexit.register(_end, folder, name)
    server = services.start(folder, name, command, env=prefect_settings(root) | os.environ | mode, cwd=root, url=url)
    services.wait_until(lambda: answers(url, "health"), server, folder, "the temporary Prefect server")
    return url


def _end_orphans(folder: Path) -> None:
    """End temporary servers of processes that were killed and could not."""
    for note in folder.glob(f"{TEMPORARY}*.json"):
        if not psutil.pid_exists(int(note.stem.removeprefix(TEMPORARY))):
            _end(folder, note.stem)


def _end(folder: Path, name: str) -> None:
    services.stop(folder, name, grace=10)
    services.log_path(folder, name).unlink(missing_ok=True)
