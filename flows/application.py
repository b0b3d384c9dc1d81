"""Prefect's server as an application that answers to this machine's own names and pages alone.

Whoever reaches Prefect may have its worker start programs. Prefect itself takes requests from the pages of any site
(``PREFECT_SERVER_CORS_ALLOWED_ORIGINS`` is ``*``, and websockets are not asked at all) and under any name, so that a
page that is open in a browser here could use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


def create_app() -> ASGIApp:
    """Prefect's server, guarded; ``uvicorn --factory flows.application:create_app`` calls this."""
    from prefect.server.api.server import create_app

    return OwnPages(create_app())


class OwnPages:
    """Middleware that refuses requests to another host's name, or from another site's pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or open a websocket."""
        if scope["type"] not in ("http", "websocket") or _is_own(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"another host's name, or another site's page"})


def _is_own(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    named = _host(b"//" + headers.get(b"host", b"")) in THIS_MACHINE
    return named and (origin is None or _host(origin) in THIS_MACHINE)


def _host(address: bytes) -> str | None:
    try:
        return urlsplit(address.decode("latin-1")).hostname
    except ValueError:
        return None
