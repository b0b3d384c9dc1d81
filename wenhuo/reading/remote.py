"""Files behind a URL: https://, s3:// and whatever else fsspec knows; versions by ETag, without one by content."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec

from wenhuo.errors import SourceError, WenhuoError
from wenhuo.files import PARTIAL, sha256
from wenhuo.reading.folder import Choice, SourceFile, choose_files
from wenhuo.reading.local import FileVersion, missing_hint

CONNECT_SECONDS = 20
SILENT_SECONDS = 60

_USER = re.compile(r"(?<=://)[^/\s'\"]*@")
_SECRET = re.compile(
    r"(?i)([?&;][^=&;\s]*(?:token|key|secret|sig|signature|passw|pwd|auth|credential|session|code)[^=&;\s]*=)[^&;#\s'\")]+"
)


def without_secrets(text: str) -> str:
    """A URL, or a message with URLs in it, without user names, passwords, tokens and signatures."""
    return _SECRET.sub(r"\1…", _USER.sub("…@", text))


def remote_files(url: str, kept: Path) -> tuple[Choice, list[FileVersion]]:
    """The files that a URL means (one, or those of a folder in an object store) and their versions.

    Args:
        url: as the user gave it.
        kept: a folder for what must be downloaded to know its version; ``download`` takes it from there.

    Raises:
        SourceError: it cannot be reached, there is nothing, or the folder leaves a doubt.
    """
    with _explained(url):
        system, path = _open_system(url)
        listed = {} if _is_web(url) or not system.isdir(path) else {_name(p): p for p in system.ls(path, detail=False)}
        choice = (
            choose_files(list(listed), without_secrets(url)) if listed else Choice([SourceFile(_name(path), None)], [])
        )
        versions = [_version(system, listed.get(file.name, path), file.name, kept) for file in choice.files]
    return choice, versions


def download(url: str, versions: list[FileVersion], folder: Path, kept: Path) -> bool:
    """Bring these files into ``folder``, and make sure that they still are these versions.

    Returns:
        Whether the URL is that of a folder, so that the files' names may mean splits.

    Raises:
        SourceError: one cannot be reached, or is another version now.
    """
    with _explained(url):
        system, path = _open_system(url)
        whole_folder = not _is_web(url) and system.isdir(path)
        for wanted in versions:
            remote = f"{path.rstrip('/')}/{wanted['path']}" if whole_folder else path
            target = folder / wanted["path"]
            if _take(kept, wanted["version"], target):
                continue
            system.get_file(remote, str(target))
            found = _etag(system.info(remote)) or f"sha256:{sha256(target)}"
            size = wanted["size"]
            if found != wanted["version"] or (size is not None and size != target.stat().st_size):
                raise SourceError(f"{wanted['path']} at {without_secrets(url)} changed while it was read", "run again")
    return whole_folder


def _version(system: Any, path: str, name: str, kept: Path) -> FileVersion:
    info = system.info(path)
    if etag := _etag(info):
        return {"path": name, "version": etag, "size": info.get("size")}
    kept.mkdir(parents=True, exist_ok=True)
    fetched = kept / PARTIAL
    system.get_file(path, str(fetched))
    digest, size = sha256(fetched), fetched.stat().st_size
    fetched.replace(kept / digest)
    return {"path": name, "version": f"sha256:{digest}", "size": size}


def _take(kept: Path, version: str, target: Path) -> bool:
    """Move the file of this version from where ``_version`` kept it, if it is still there and sound."""
    kind, _, digest = version.partition(":")
    path = kept / digest
    if kind != "sha256" or not path.is_file() or sha256(path) != digest:
        return False
    shutil.move(path, target)
    return True


def _etag(info: dict[str, Any]) -> str | None:
    value = next((str(value) for key, value in info.items() if key.lower() == "etag" and value), None)
    return f"etag:{value}" if value else None


def _open_system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it, with no listing kept from an earlier look."""
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if _is_web(url):
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS)
        options["client_kwargs"] = {"timeout": timeout, "trust_env": True}
    system, path = fsspec.core.url_to_fs(url, **options)
    return system, str(path)


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _name(path: str) -> str:
    """The file name at the end of a path or URL, without a query."""
    web = urlsplit(path)
    return PurePosixPath(unquote(web.path) if web.scheme else path).name


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn whatever a file system raises into one sentence without secrets."""
    try:
        yield
    except WenhuoError:
        raise
    except ImportError as error:
        extra = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure"}.get(
            urlsplit(url).scheme, ""
        )
        hint = f"uv pip install 'wenhuo[{extra}]'" if extra else "install the library that the message names"
        raise SourceError(f"ingest.source: {without_secrets(url)} needs a library: {error}", hint) from None
    except Exception as error:
        cause = error.__cause__ if isinstance(error, FileNotFoundError) else error  # fsspec calls every HTTP error so
        if cause is None or getattr(cause, "status", None) == 404:
            raise SourceError(f"ingest.source: there is nothing at {without_secrets(url)}", missing_hint()) from None
        reason = " ".join(
            without_secrets(f"{type(cause).__name__}: {cause}".replace(url, without_secrets(url))).split()
        )
        raise SourceError(
            f"ingest.source: {without_secrets(url)} cannot be read: {reason[:300]}", missing_hint()
        ) from None
