"""A small server that speaks enough of the hub's protocol for its client libraries: data sets and models at commits.

The hub's libraries read their environment when they are imported, so whoever asks it is a process of its own, with the
environment that :func:`hub_environment` gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]


class Hub(ThreadingHTTPServer):
    """A hub with one repository.

    Attributes:
        kind: ``datasets`` or ``models``.
        name: the repository, ``owner/name``.
        commits: commit hash to file name to content.
        newest: where the main branch stands.
        requests: how many requests came.
    """

    def __init__(self, kind: str, name: str, commits: dict[str, Files], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.kind, self.name, self.commits, self.newest, self.requests = kind, name, commits, next(iter(commits)), 0


@contextmanager
def running(kind: str, name: str, commits: dict[str, Files], port: int = 0) -> Iterator[Hub]:
    """A hub on a port of this machine; 0 takes a free one."""
    server = Hub(kind, name, commits, port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def hub_environment(port: int, home: Path) -> dict[str, str]:
    """The environment of a process that knows no hub but this one and has no cache but ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    return kept | {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(home / "hub"), "NO_PROXY": "127.0.0.1"}


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.requests += 1
        path = unquote(urlsplit(self.path).path)
        kind, name = self.server.kind, re.escape(self.server.name)
        base = f"/api/{kind}/{name}"
        resolve = ("" if kind == "models" else f"/{kind}") + f"/{name}/resolve/([^/]+)/(.+)"
        if match := re.fullmatch(f"{base}(?:/revision/([^/]+))?", path):
            self._send_json(self._about(match[1]) if self._known(match[1]) else None, "RevisionNotFound")
        elif match := re.fullmatch(f"{base}/tree/([^/]+)", path):
            known = self._known(match[1])
            entries = [self._entry(file, body) for file, body in self._files(match[1]).items()]
            self._send_json(entries if known else None, "RevisionNotFound")
        elif (match := re.fullmatch(resolve, path)) and match[2] in self._files(match[1]):
            body = self._files(match[1])[match[2]]
            tag = f'"{self._entry(match[2], body)["oid"]}"'
            self._send(body, ETag=tag, **{"X-Repo-Commit": self._commit(match[1])})
        else:
            self._send_json(None, "EntryNotFound" if f"/{self.server.name}/" in path else "RepoNotFound")

    do_HEAD = do_GET  # noqa: N815

    def _known(self, revision: str | None) -> bool:
        return revision in (None, "main") or revision in self.server.commits

    def _commit(self, revision: str | None) -> str:
        return revision if revision in self.server.commits else self.server.newest

    def _files(self, revision: str) -> Files:
        return self.server.commits[self._commit(revision)]

    def _about(self, revision: str | None) -> dict[str, Any]:
        siblings = [{"rfilename": name} for name in self._files(revision or "main")]
        return {
            "id": self.server.name,
            "sha": self._commit(revision),
            "siblings": siblings,
            "private": False,
            "tags": [],
        }

    def _entry(self, name: str, body: bytes) -> dict[str, Any]:
        digest = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
        return {"type": "file", "path": name, "size": len(body), "oid": digest}

    def _send_json(self, value: Any, missing: str = "") -> None:
        if value is None:
            self._send(b"{}", 404, **{"X-Error-Code": missing})
        else:
            self._send(json.dumps(value).encode())

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""
