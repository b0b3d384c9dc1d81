"""The deployment on this machine, from start to a run that the schedule began, as a person would see it."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from toy_project import EDGES, Run, Toy, read_runs

from flows import services
from flows.children import alive, family
from flows.environment import prefect_settings
from flows.server import ask

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVERY_MINUTE = "* * * * *"


def deploy(toy: Toy, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = prefect_settings(toy.root) | {"PATH": "/usr/bin:/bin", "HOME": str(toy.root), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "flows.deploy", *arguments]
    return subprocess.run(command, cwd=toy.root, env=environment, capture_output=True, text=True, check=False)


def wait_for(find: Callable[[], Any], what: str, seconds: float = 240) -> Any:
    give_up = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < give_up, f"no {what} after {seconds:.0f} s"
        time.sleep(1)
    return found


@pytest.fixture(scope="module")
def toy(make_toy: Callable[[], Toy]) -> Toy:
    """A toy project with the flows and the library in it, as in a clone."""
    toy = make_toy()
    for folder in ("flows", "wenhuo"):
        shutil.copytree(REPOSITORY / folder, toy.root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "prefect.yaml", toy.root)
    return toy


@pytest.fixture(scope="module")
def deployed(toy: Toy) -> Iterator[str]:
    """The address of the server of a deployment that runs every minute."""
    done = deploy(toy, "start", "--cron", EVERY_MINUTE)
    try:
        assert done.returncode == 0, done.stderr
        match = re.search(r"UI: (http://127\.0\.0\.1:\d+)", done.stdout)
        assert match
        yield match[1]
    finally:
        deploy(toy, "stop")


@pytest.fixture(scope="module")
def run(deployed: str) -> Run:
    """The first run that the schedule has begun, at its end."""

    def ended() -> Run | None:
        runs = read_runs(deployed)
        return runs[0] if runs and runs[0].state["type"] not in ("RUNNING", "PENDING") else None

    return wait_for(ended, "scheduled run")


pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_scheduled_run_begins_by_itself_and_completes(run: Run) -> None:
    assert run.state["type"] == "COMPLETED", run.state["message"]
    assert run.states() == dict.fromkeys(EDGES, "Completed")
    assert run.edges() == EDGES
    assert {"读完了", "aside"} <= set(run.logs("ingest", "✔"))


def test_the_deployment_is_the_one_in_prefect_yaml(deployed: str, toy: Toy) -> None:
    deployment = ask(deployed, "deployments/name/retrain/retrain")
    assert [one["schedule"]["cron"] for one in deployment["schedules"]] == [EVERY_MINUTE]
    assert deployment["schedules"][0]["schedule"]["timezone"] == "Asia/Shanghai"
    assert deployment["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["work_pool_name"] == "wenhuo"
    steps = deployment["pull_steps"]
    assert steps == [{"prefect.deployments.steps.set_working_directory": {"directory": str(toy.root)}}]


def test_starting_again_says_that_it_runs(deployed: str, toy: Toy) -> None:
    before = services.running(toy.root / ".prefect", "worker")
    done = deploy(toy, "start")
    assert done.returncode == 0
    assert done.stdout.startswith("the deployment is running already")
    assert f"UI: {deployed}" in done.stdout
    assert services.running(toy.root / ".prefect", "worker") == before
    assert deploy(toy, "status").returncode == 0


def test_it_hears_no_other_site_and_gives_away_no_file(deployed: str) -> None:
    port = int(deployed.rpartition(":")[2])

    def asked(path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection._validate_path = lambda path: None  # type: ignore[attr-defined]
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    assert asked("/api/health")[0] == 200
    assert asked("/api/health", Origin="https://evil.com")[0] == 403
    assert asked("/api/health", Host=f"10.evil.com:{port}")[0] == 403
    climbing = "../" * 12 + "etc/passwd"
    for payload in (climbing, climbing.replace("../", "%2e%2e/"), climbing.replace("../", "..%2f"), "//etc/passwd"):
        for place in ("/", "/static/", "/v2/", "/assets/", "/api/"):
            assert b"root:" not in asked(place + payload)[1], (place, payload)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_page_shows_the_run_with_its_stages_and_logs(deployed: str, run: Run, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(f"{deployed}/runs/flow-run/{run.id}")
        page.get_by_text("Completed").first.wait_for(timeout=60_000)
        for text in ("train@a", "读完了"):
            page.get_by_text(text).first.wait_for(timeout=60_000)
        page.screenshot(path=tmp_path / "run.png")
        browser.close()


def wait_for_a_sleeping_stage(toy: Toy) -> list[psutil.Process]:
    """The worker and all below it, at a moment when a stage's command sleeps."""
    service = services.running(toy.root / ".prefect", "worker")
    assert service

    def sleeping() -> list[psutil.Process]:
        members = family(service.pid)
        return members if any(member.name() == "sleep" for member in members) else []

    return wait_for(sleeping, "sleeping stage")


def test_cancelling_a_run_ends_its_stages(deployed: str, toy: Toy) -> None:
    toy.set(nap=300)
    members = wait_for_a_sleeping_stage(toy)
    run = read_runs(deployed)[-1]
    ask(deployed, f"flow_runs/{run.id}/set_state", {"state": {"type": "CANCELLING"}}, "POST")
    wait_for(lambda: read_runs(deployed)[-1].state["type"] == "CANCELLED", "cancelled run")
    assert len([member for member in members if alive(member)]) == 1  # the worker


def test_stopping_ends_what_was_started_and_a_run_under_way(deployed: str, toy: Toy) -> None:
    toy.set(nap=300)
    members = wait_for_a_sleeping_stage(toy)
    done = deploy(toy, "stop")
    assert (done.returncode, done.stdout) == (0, "stopped\n")
    assert not [member for member in members if alive(member)]
    assert deploy(toy, "status").returncode == 1
    assert deploy(toy, "stop").stdout == "nothing was running\n"
    done = deploy(toy, "start")
    assert done.returncode == 0, done.stderr
    match = re.search(r"UI: (\S+)", done.stdout)
    assert match
    assert [one.state["type"] for one in read_runs(match[1])][-1] in ("CRASHED", "CANCELLED")
    cron = ask(match[1], "deployments/name/retrain/retrain")["schedules"][0]["schedule"]["cron"]
    assert cron == "0 3 * * *"
