"""Files behind URLs: over HTTP with and without ETags, and in another of fsspec's file systems."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from wenhuo.errors import SourceError
from wenhuo.reading import sources
from wenhuo.reading.columns import Wanted
from wenhuo.reading.remote import without_secrets

SECRET = "hunter2"


class _Handler(SimpleHTTPRequestHandler):
    etags = True

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if self.etags and path.is_file():
            self.send_header("ETag", f'"{hashlib.md5(path.read_bytes()).hexdigest()}"')
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


class _PlainHandler(_Handler):
    etags = False


@pytest.fixture(params=[_Handler, _PlainHandler], ids=["etag", "content"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server's address and its folder."""
    folder = tmp_path / "web"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(request.param, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "data" / ".source-cache.json"


def _read(source: str, found: dict[str, Any], cache: Path) -> list[tuple[str, str | None, str, str]]:
    return [
        (reading.origin, reading.split, text, label)
        for reading in sources.readings(source, found, Wanted(), cache.parent)
        for chunk in reading.chunks
        for text, label in zip(chunk.texts, chunk.labels, strict=True)
    ]


def test_a_url_is_read_and_known_by_its_version(
    web: tuple[str, Path], cache: Path, request: pytest.FixtureRequest
) -> None:
    address, folder = web
    path = folder / "我的 train.csv"
    path.write_bytes("text,label\n很好很好,1\n不好不好,0\n".encode("gb18030"))
    source = f"{address}/%E6%88%91%E7%9A%84%20train.csv?token={SECRET}"
    found = sources.fingerprint(source, None, cache)
    (version,) = found["files"]
    assert version["path"] == "我的 train.csv"
    assert version["version"].startswith("etag:" if "etag" in request.node.name else "sha256:")
    assert SECRET not in str(found)
    assert sources.fingerprint(source, None, cache) == found
    rows = [("我的 train.csv", None, "很好很好", "1"), ("我的 train.csv", None, "不好不好", "0")]
    assert _read(source, found, cache) == rows
    path.write_bytes(path.read_bytes().replace(b",1", b",2"))
    assert sources.fingerprint(source, None, cache) != found
    with pytest.raises(SourceError, match="changed while it was read"):
        _read(source, found, cache)


def test_what_is_not_there_is_said_without_secrets(web: tuple[str, Path], cache: Path) -> None:
    source = f"{web[0].replace('://', f'://me:{SECRET}@')}/none.csv?api_key={SECRET}"
    with pytest.raises(SourceError, match="there is nothing at") as error:
        sources.fingerprint(source, None, cache)
    assert SECRET not in str(error.value)


def test_a_server_that_is_away(cache: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read") as error:
        sources.fingerprint(f"http://me:{SECRET}@127.0.0.1:9/file.csv?sig={SECRET}", None, cache)
    assert SECRET not in str(error.value)
    assert "--downstream" in error.value.hint


def test_another_file_system_with_a_folder(cache: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(
        {
            "/bucket/train.csv": "text,label\n好,1\n".encode(),
            "/bucket/test.tsv": "行\t0\n".encode(),
            "/bucket/a.md": b"#",
        }
    )
    found = sources.fingerprint("memory://bucket", None, cache)
    assert [(file["path"], file["version"][:7]) for file in found["files"]] == [
        ("train.csv", "sha256:"),
        ("test.tsv", "sha256:"),
    ]
    rows = [("train.csv", "train", "好", "1"), ("test.tsv", "test", "行", "0")]
    assert _read("memory://bucket", found, cache) == rows
    memory.pipe("/bucket/test.tsv", "不\t0\n".encode())
    assert sources.fingerprint("memory://bucket", None, cache) != found
    one = "memory://bucket/train.csv"
    assert _read(one, sources.fingerprint(one, None, cache), cache) == [("train.csv", None, "好", "1")]


@pytest.mark.parametrize("source", ["nosuch://bucket/file.csv", "memory://bucket/nothing.csv"])
def test_unknown_places(source: str, cache: Path) -> None:
    with pytest.raises(SourceError, match=r"ingest\.source"):
        sources.fingerprint(source, None, cache)


def test_a_library_that_is_not_installed_is_named(cache: Path) -> None:
    if pytest.importorskip("importlib.util").find_spec("s3fs"):
        pytest.skip("s3fs is installed")
    with pytest.raises(SourceError, match="needs a library") as error:
        sources.fingerprint("s3://bucket/file.csv", None, cache)
    assert "wenhuo[s3]" in error.value.hint


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.org/b.csv", "https://a.org/b.csv"),
        ("https://me:pw@a.org/b.csv?x=1&access_token=t&y=2", "https://…@a.org/b.csv?x=1&access_token=…&y=2"),
        ("s3://a/b?X-Amz-Signature=abc&X-Amz-Credential=d", "s3://a/b?X-Amz-Signature=…&X-Amz-Credential=…"),
        ("cannot GET 'https://token@a.org/b' today", "cannot GET 'https://…@a.org/b' today"),
    ],
)
def test_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
