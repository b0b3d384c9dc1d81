"""The application behind ``wenhuo ui``: MLflow's own, which hands out no file but those of the project's store.

MLflow lets whoever reaches its server say where files lie: an experiment's ``artifact_location``, a version's
``source``, a trace's tag ``mlflow.artifactLocation``. It reads and writes there with the rights of the one who started
it. Names with ``..`` it refuses itself; places are confined here, where every one of these ways ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

FOLDERS = "WENHUO_UI_FOLDERS"
"""The environment variable that names the folders that may be shown, as PATH names folders."""
OWN_STORE = "WENHUO_UI_OWN_STORE"
"""Set where the store is the project's own, so that artifacts on other machines are none of it."""
INDIRECT = ("runs", "models")
"""Addresses that lead to another one, which is looked at in its turn."""
LEFT_OUT = ("/ajax-api/3.0/mlflow/assistant", "/ajax-api/2.0/mlflow/gateway-proxy", "/ajax-api/3.0/jobs", "/gateway/")
"""What MLflow serves besides, and browsing does not need: it starts programs and calls services."""


def create_app() -> FastAPI:
    """MLflow's application, confined; ``mlflow server --app-name wenhuo`` calls this in the process that serves."""
    confine([Path(folder) for folder in os.environ[FOLDERS].split(os.pathsep)], local_only=bool(os.environ[OWN_STORE]))
    from mlflow.server.fastapi_app import app

    made: FastAPI = app
    made.add_middleware(Browsing)
    return made


def confine(folders: Collection[Path], *, local_only: bool) -> None:
    """Let MLflow in this process open no local place outside of some folders.

    Args:
        folders: that may be read and written.
        local_only: refuse artifacts on other machines too, which are fetched with the credentials of this one.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories

    openers: dict[str, Any] = get_registered_artifact_repositories()
    allowed = [folder.resolve() for folder in folders]
    for scheme, opener in list(openers.items()):
        if scheme in ("", "file"):
            openers[scheme] = _inside(opener, allowed)
        elif local_only and scheme not in INDIRECT:
            openers[scheme] = _refused


def _inside(opener: Callable[..., Any], folders: Collection[Path]) -> Callable[..., Any]:
    def open_local(artifact_uri: str, **more: Any) -> Any:
        opened = opener(artifact_uri, **more)
        place = Path(opened.artifact_dir).resolve()
        return opened if any(place.is_relative_to(folder) for folder in folders) else _refused(artifact_uri)

    return open_local


def _refused(artifact_uri: str, **more: Any) -> Any:
    from mlflow.exceptions import MlflowException

    raise MlflowException.invalid_parameter_value(f"{artifact_uri} is no place of this project's store")


class Browsing:
    """Middleware that answers 404 for what is left out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"].startswith(LEFT_OUT):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"wenhuo ui does not serve this"})
            return
        await self.app(scope, receive, send)
