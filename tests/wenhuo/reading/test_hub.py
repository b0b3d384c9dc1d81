"""Data sets of the hub, from a small server that speaks enough of its protocol.

The hub's libraries read their environment when they are imported, so each look is a process of its own, with its own
HF_HOME and HF_ENDPOINT.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest

from wenhuo.reading.hub import HubSource, hub_version, parse_hub

ROOT = Path(__file__).resolve().parents[3]
OLD, NEW = "a" * 40, "b" * 40
CARD = """---
configs:
- config_name: default
  data_files:
  - {split: train, path: train.csv}
  - {split: validation, path: dev.csv}
  - {split: unsupervised, path: more.csv}
dataset_info:
  features:
  - {name: text, dtype: string}
  - name: label
    dtype: {class_label: {names: {'0': 负面, '1': 正面}}}
---
"""

LOOK = """
import json, sys
from pathlib import Path
from wenhuo.errors import WenhuoError
from wenhuo.reading import sources
from wenhuo.reading.columns import Wanted
try:
    found = sources.fingerprint(sys.argv[1], None, Path(sys.argv[2]) / "cache.json")
    rows = [
        [reading.origin, reading.split, *row]
        for reading in sources.readings(sys.argv[1], found, Wanted(), Path(sys.argv[2]))
        for chunk in reading.chunks
        for row in zip(chunk.texts, chunk.labels)
    ]
    print(json.dumps({"version": found["files"][0]["version"], "rows": rows}))
except WenhuoError as error:
    print(json.dumps({"error": error.what}))
"""


def _repository(text: str) -> dict[str, bytes]:
    return {
        "README.md": CARD.encode(),
        "train.csv": f"text,label\n{text},1\n不好,0\n".encode(),
        "dev.csv": b"text,label\nok,1\n",
        "more.csv": b"text,label\nhidden,-1\n",
    }


class _Hub(ThreadingHTTPServer):
    """A hub with one data set in two revisions; ``newest`` is where its main branch stands."""

    commits: ClassVar = {OLD: _repository("旧的"), NEW: _repository("新的")}
    newest = OLD
    requests = 0


class _Handler(BaseHTTPRequestHandler):
    server: _Hub

    def do_GET(self) -> None:
        self.server.requests += 1
        path = unquote(urlsplit(self.path).path)
        if match := re.fullmatch(r"/api/datasets/owner/toy(?:/revision/([^/]+))?", path):
            commit = self._commit(match[1])
            self._send(
                json.dumps({"id": "owner/toy", "sha": commit, "siblings": [], "private": False, "tags": []}).encode()
            )
        elif match := re.fullmatch(r"/api/datasets/owner/toy/tree/([^/]+)", path):
            self._send(json.dumps([self._entry(name, body) for name, body in self._files(match[1]).items()]).encode())
        elif (match := re.fullmatch(r"/datasets/owner/toy/resolve/([^/]+)/(.+)", path)) and match[2] in self._files(
            match[1]
        ):
            body = self._files(match[1])[match[2]]
            self._send(
                body, ETag=f'"{self._entry(match[2], body)["oid"]}"', **{"X-Repo-Commit": self._commit(match[1])}
            )
        else:
            self._send(b"{}", 404, **{"X-Error-Code": "EntryNotFound" if "/toy/" in path else "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815

    def _commit(self, revision: str | None) -> str:
        return revision if revision in self.server.commits else self.server.newest

    def _files(self, revision: str) -> dict[str, bytes]:
        return self.server.commits[self._commit(revision)]

    def _entry(self, name: str, body: bytes) -> dict[str, Any]:
        digest = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
        return {"type": "file", "path": name, "size": len(body), "oid": digest}

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def hub() -> Iterator[_Hub]:
    server = _Hub(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _look(source: str, port: int, home: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    environment |= {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(home / "hub"), "NO_PROXY": "127.0.0.1"}
    ended = subprocess.run(
        [sys.executable, "-c", LOOK, source, str(home)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


def _rows(text: str) -> list[list[str]]:
    return [
        ["train", "train", text, "正面"],
        ["train", "train", "不好", "负面"],
        ["validation", "validation", "ok", "正面"],
    ]


@pytest.mark.slow
def test_a_data_set_is_read_at_its_commit_and_then_without_the_hub(hub: _Hub, tmp_path: Path) -> None:
    source = "hf://owner/toy"
    assert _look(source, hub.server_port, tmp_path) == {"version": f"commit:{OLD}", "rows": _rows("旧的")}
    hub.newest = NEW
    assert _look(source, hub.server_port, tmp_path) == {"version": f"commit:{NEW}", "rows": _rows("新的")}
    hub.requests = 0
    assert _look(f"{source}@{OLD}", hub.server_port, tmp_path)["rows"] == _rows("旧的")
    assert hub.requests == 0, "a commit that is cached needs no network, whatever was read last"
    assert "none" in _look("hf://owner/none", hub.server_port, tmp_path)["error"]


@pytest.mark.slow
def test_a_hub_that_is_away_is_an_error_and_no_other_revision(hub: _Hub, tmp_path: Path) -> None:
    """The datasets library would go on with whatever revision it loaded last."""
    _look(f"hf://owner/toy@{OLD}", hub.server_port, tmp_path)
    hub.shutdown()
    hub.server_close()
    assert "cannot be reached" in _look(f"hf://owner/toy@{NEW}", hub.server_port, tmp_path)["error"]
    assert "cannot be loaded" in _look("hf://owner/toy", hub.server_port, tmp_path)["error"]


def test_a_commit_named_in_full_needs_no_look() -> None:
    assert hub_version(f"hf://owner/name@{OLD}") == {"path": "owner/name", "version": f"commit:{OLD}", "size": None}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hf://owner/name", HubSource("owner/name", None, None)),
        ("hf://owner/name@v1.0", HubSource("owner/name", None, "v1.0")),
        ("hf://clue/clue/tnews@refs/convert/parquet", HubSource("clue/clue", "tnews", "refs/convert/parquet")),
    ],
)
def test_addresses(source: str, expected: HubSource) -> None:
    assert parse_hub(source) == expected


@pytest.mark.parametrize("source", ["hf://name", "hf://", "hf://owner/name/", "hf://owner/na me", "hf://owner/name@"])
def test_what_is_no_address(source: str) -> None:
    with pytest.raises(ValueError, match="is not hf://owner/name"):
        parse_hub(source)
