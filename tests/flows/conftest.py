"""One toy project to copy and one Prefect server for all tests of a session."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from toy_project import GRAPH, Server, Toy

import flows.server
from flows.environment import prepare
from flows.server import temporary


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    toy = Toy(root)
    toy.dvc("init", "-q")
    toy.set()
    (root / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    (root / "given").write_text("一\n", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def make_toy(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Toy]:
    return lambda: Toy(shutil.copytree(template, tmp_path_factory.mktemp("toy") / "项目 一"))


@pytest.fixture
def toy(make_toy: Callable[[], Toy]) -> Toy:
    return make_toy()


@pytest.fixture(scope="session", autouse=True)
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the server will be, if a test asks for it: Prefect reads this when it is imported."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        flows.server.TEMPORARY_PORT = any_port.getsockname()[1]
    url = f"http://127.0.0.1:{flows.server.TEMPORARY_PORT}"
    prepare(tmp_path_factory.mktemp("prefect"), PREFECT_API_URL=f"{url}/api")
    return url


@pytest.fixture(scope="session")
def server(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("server")
    assert temporary(root) == address
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    with temporary_settings({PREFECT_API_URL: f"{address}/api", PREFECT_HOME: root / "home"}):
        yield Server(address, root / "home")
