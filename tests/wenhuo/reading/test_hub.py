"""Data sets of the hub, from a small server that speaks enough of its protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub_server import Hub, hub_environment, running
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
from wenhuo.reading.options import Options, sources_of
try:
    given = sources_of(Options(source=sys.argv[1]))
    found = sources.fingerprint(given, Path(sys.argv[2]) / "cache.json")
    rows = [
        [reading.origin, reading.split, *row]
        for reading in sources.readings(given, found, Path(sys.argv[2]))
        for chunk in reading.chunks
        for row in zip(chunk.texts, chunk.labels)
    ]
    print(json.dumps({"version": found["sources"][0]["files"][0]["version"], "rows": rows}))
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


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running("datasets", "owner/toy", {OLD: _repository("旧的"), NEW: _repository("新的")}) as server:
        yield server


def _look(source: str, port: int, home: Path) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-c", LOOK, source, str(home)],
        cwd=ROOT,
        env=hub_environment(port, home),
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
def test_a_data_set_is_read_at_its_commit_and_then_without_the_hub(hub: Hub, tmp_path: Path) -> None:
    source = "hf://owner/toy"
    assert _look(source, hub.server_port, tmp_path) == {"version": f"commit:{OLD}", "rows": _rows("旧的")}
    hub.newest = NEW
    assert _look(source, hub.server_port, tmp_path) == {"version": f"commit:{NEW}", "rows": _rows("新的")}
    hub.requests = 0
    assert _look(f"{source}@{OLD}", hub.server_port, tmp_path)["rows"] == _rows("旧的")
    assert hub.requests == 0, "a commit that is cached needs no network, whatever was read last"
    assert "none" in _look("hf://owner/none", hub.server_port, tmp_path)["error"]


@pytest.mark.slow
def test_a_hub_that_is_away_is_an_error_and_no_other_revision(hub: Hub, tmp_path: Path) -> None:
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
