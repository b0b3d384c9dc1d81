"""Prefect's server hears this machine's own pages and programs, and no other site's."""

import asyncio

import pytest

from flows.application import OwnPages


def ask(kind: str, host: bytes | None, origin: bytes | None) -> object:
    """What becomes of a request: the status, or the message that ends a websocket; "served" where it is let in."""
    sent = []

    async def app(scope, receive, send):
        sent.append("served")

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    given = {b"host": host, b"origin": origin}
    scope = {"type": kind, "headers": [(name, value) for name, value in given.items() if value is not None]}
    asyncio.run(OwnPages(app)(scope, receive, send))
    first = sent[0]
    return first if first == "served" else first.get("status", first["type"])


@pytest.mark.parametrize("host", [b"127.0.0.1:4200", b"localhost:4200", b"[::1]:4200", b"localhost"])
@pytest.mark.parametrize("origin", [None, b"http://127.0.0.1:4200", b"http://localhost:4200"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_our_own_are_served(kind, host, origin):
    assert ask(kind, host, origin) == "served"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"127.0.0.1:4200", b"https://evil.com"),
        (b"127.0.0.1:4200", b"null"),
        (b"127.0.0.1:4200", b"http://127.0.0.1.evil.com"),
        (b"127.0.0.1:4200", b"http://localhost@evil.com"),
        (b"evil.com:4200", None),
        (b"10.evil.com", b"http://10.evil.com"),
        (b"[", None),
        (None, None),
    ],
)
def test_others_are_not(host, origin):
    assert ask("http", host, origin) == 403
    assert ask("websocket", host, origin) == "websocket.close"


def test_what_is_no_request_goes_through():
    assert ask("lifespan", None, None) == "served"
