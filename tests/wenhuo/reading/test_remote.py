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
from wenhuo.reading.options import Options, sources_of
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


def _look(source: str, cache: Path) -> dict[str, Any]:
    (found,) = sources.fingerprint(sources_of(Options(source=source)), cache)["sources"]
    return dict(found)


def _read(source: str, found: dict[str, Any], cache: Path) -> list[tuple[str, str | None, str, str]]:
    return [
        (reading.origin, reading.split, text, label)
        for reading in sources.readings(sources_of(Options(source=source)), {"sources": [found]}, cache.parent)
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
    found = _look(source, cache)
    (version,) = found["files"]
    assert version["path"] == "我的 train.csv"
    assert version["version"].startswith("etag:" if "etag" in request.node.name else "sha256:")
    assert SECRET not in str(found)
    assert _look(source, cache) == found
    rows = [("我的 train.csv", None, "很好很好", "1"), ("我的 train.csv", None, "不好不好", "0")]
    assert _read(source, found, cache) == rows
    path.write_bytes(path.read_bytes().replace(b",1", b",2"))
    assert _look(source, cache) != found
    with pytest.raises(SourceError, match="changed while it was read"):
        _read(source, found, cache)


def test_what_is_not_there_is_said_without_secrets(web: tuple[str, Path], cache: Path) -> None:
    source = f"{web[0].replace('://', f'://me:{SECRET}@')}/none.csv?api_key={SECRET}"
    with pytest.raises(SourceError, match="there is nothing at") as error:
        _look(source, cache)
    assert SECRET not in str(error.value)


def test_a_server_that_is_away(cache: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read") as error:
        _look(f"http://me:{SECRET}@127.0.0.1:9/file.csv?sig={SECRET}", cache)
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
    found = _look("memory://bucket", cache)
    assert [(file["path"], file["version"][:7]) for file in found["files"]] == [
        ("train.csv", "sha256:"),
        ("test.tsv", "sha256:"),
    ]
    rows = [("train.csv", "train", "好", "1"), ("test.tsv", "test", "行", "0")]
    assert _read("memory://bucket", found, cache) == rows
    memory.pipe("/bucket/test.tsv", "不\t0\n".encode())
    assert _look("memory://bucket", cache) != found
    one = "memory://bucket/train.csv"
    assert _read(one, _look(one, cache), cache) == [("train.csv", None, "好", "1")]


@pytest.mark.parametrize("source", ["nosuch://bucket/file.csv", "memory://bucket/nothing.csv"])
def test_unknown_places(source: str, cache: Path) -> None:
    with pytest.raises(SourceError, match=r"ingest\.source"):
        _look(source, cache)


def test_a_library_that_is_not_installed_is_named(cache: Path) -> None:
    if pytest.importorskip("importlib.util").find_spec("s3fs"):
        pytest.skip("s3fs is installed")
    with pytest.raises(SourceError, match="needs a library") as error:
        _look("s3://bucket/file.csv", cache)
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


def test_what_was_downloaded_for_its_version_is_not_downloaded_again(cache: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/once/train.csv", "text,label\n好,1\n".encode())
    source = "memory://once/train.csv"
    found = _look(source, cache)
    memory.pipe("/once/train.csv", "text,label\n另,1\n".encode())
    rows = [("train.csv", None, "好", "1")]
    assert _read(source, found, cache) == rows, "just the version that was looked at"
    assert list((cache.parent / sources.FETCHED).iterdir()) == [], "and it is not kept longer than that"
    with pytest.raises(SourceError, match="changed while it was read"):
        _read(source, found, cache)
    found = _look(source, cache)
    (kept,) = (cache.parent / sources.FETCHED).iterdir()
    kept.write_bytes(b"damaged")
    assert _read(source, found, cache) == [("train.csv", None, "另", "1")]


def test_archives_and_packed_files_behind_urls(cache: Path) -> None:
    import gzip
    import io
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("test.csv", "text,label\n好,1\n")
    memory = fsspec.filesystem("memory")
    memory.pipe({"/packed/a.zip": made.getvalue(), "/packed/b.csv": gzip.compress("text,label\n坏,0\n".encode())})
    for name, expected in {"a.zip": ("a.zip/test.csv", "test", "好", "1"), "b.csv": ("b.csv", None, "坏", "0")}.items():
        source = f"memory://packed/{name}"
        assert _read(source, _look(source, cache), cache) == [expected]
