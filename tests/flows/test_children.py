"""Processes are ended with all they started, and their lines come at once."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from flows import services
from flows.children import Children, StoppedError, alive, family
from flows.services import ServiceError

STUBBORN = "trap '' TERM; echo ready; sleep 60 & wait; sleep 60"


class Background:
    """A command that runs in another thread, as in a flow."""

    def __init__(self, children: Children, command: list[str]) -> None:
        self.lines: list[tuple[float, str]] = []
        self.code: int | None = None
        self.thread = threading.Thread(target=self._run, args=(children, command))
        self.thread.start()

    def _run(self, children: Children, command: list[str]) -> None:
        self.code = children.run(
            command, cwd=Path(), env=os.environ, hear=lambda line: self.lines.append((time.monotonic(), line))
        )

    def wait_for(self, text: str) -> None:
        give_up = time.monotonic() + 20
        while not any(text in line for _, line in self.lines):
            assert time.monotonic() < give_up
            time.sleep(0.02)


def test_lines_come_as_they_are_written() -> None:
    said: list[tuple[float, str]] = []
    script = "echo 一; sleep 1; echo two >&2; printf 'a\\0b\\377\\n'; printf 'no end'; exit 7"
    code = Children().run(
        ["sh", "-c", script], cwd=Path(), env=os.environ, hear=lambda line: said.append((time.monotonic(), line))
    )
    assert code == 7
    assert [line for _, line in said] == ["一", "two", "a�b�", "no end"]
    assert said[1][0] - said[0][0] > 0.5


def test_stop_ends_the_descendants_of_every_leader() -> None:
    children = Children()
    runs = [Background(children, ["sh", "-c", "sleep 60 & setsid sleep 60 & echo ready; wait"]) for _ in range(2)]
    for run in runs:
        run.wait_for("ready")
    time.sleep(0.3)
    members = psutil.Process().children(recursive=True)
    children.stop(grace=5)
    for run in runs:
        run.thread.join(timeout=10)
        assert not run.thread.is_alive()
    assert not [member for member in members if alive(member) and member.name() in ("sleep", "sh")]
    with pytest.raises(StoppedError):
        children.run(["true"], cwd=Path(), env=os.environ, hear=print)


def test_who_ignores_term_is_killed_after_the_grace() -> None:
    children = Children()
    run = Background(children, ["sh", "-c", f'sh -c "{STUBBORN}"; true'])
    run.wait_for("ready")
    began = time.monotonic()
    children.stop(grace=1)
    run.thread.join(timeout=10)
    assert 0.9 < time.monotonic() - began < 8
    assert run.code is not None and run.code < 0


def test_a_leader_that_dies_alone_leaves_nobody_behind() -> None:
    run = Background(Children(), ["sh", "-c", "sleep 61 & echo ready $$; wait"])
    run.wait_for("ready")
    leader = int(run.lines[0][1].split()[1])
    left = family(leader)
    os.kill(leader, 9)
    run.thread.join(timeout=10)
    assert len(left) == 2
    assert not [member for member in left if alive(member)]


def test_a_service_is_known_by_number_and_birth(tmp_path: Path) -> None:
    service = services.start(
        tmp_path, "sleeper", ["sh", "-c", "echo hello; sleep 60"], env=os.environ, cwd=tmp_path, url="http://x"
    )
    assert services.running(tmp_path, "sleeper") == service
    note = tmp_path / "sleeper.json"
    kept = note.read_text()
    note.write_text(kept.replace(str(service.born), str(service.born - 100)))  # the number is another process's by now
    assert services.running(tmp_path, "sleeper") is None
    assert not services.stop(tmp_path, "sleeper", grace=1)
    assert psutil.pid_exists(service.pid)
    note.write_text(kept)
    assert services.stop(tmp_path, "sleeper", grace=5)
    assert not alive(psutil.Process(service.pid)) if psutil.pid_exists(service.pid) else True
    assert services.running(tmp_path, "sleeper") is None


def test_a_port_is_given_to_one_only() -> None:
    with services.listener(8700) as one, services.listener(8700) as other:
        assert one.getsockname()[1] != other.getsockname()[1]


def test_a_service_that_ends_early_is_named_with_its_last_words(tmp_path: Path) -> None:
    service = services.start(tmp_path, "s", ["sh", "-c", "echo no room; exit 1"], env=os.environ, cwd=tmp_path, url="")
    with pytest.raises(ServiceError, match="no room"):
        services.wait_until(lambda: False, service, tmp_path, "the server")
