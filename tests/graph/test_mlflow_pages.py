"""What a person sees in MLflow, in a real browser: the runs, their curves and pictures, and the champion."""

import json
import shutil
import socket
import sys
import time
import urllib.request

import pytest

from tests.graph.conftest import start
from wenhuo.files import read_json
from wenhuo.graph import locked_key
from wenhuo.lineage import candidate_stage
from wenhuo.models.folder import read_card
from wenhuo.tracking import runs, store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address(made):
    port = free_port()
    process = start(made[0], sys.executable, "-m", "wenhuo", "ui", "--port", str(port))
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.5)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def page(address):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def mini(made):
    client = store.connect(made[0])
    return runs.find_run(client, locked_key(made[0], "train@mini")).info


def test_the_runs_are_listed(page, address, mini):
    page.goto(f"{address}/#/experiments/{mini.experiment_id}/runs")
    page.get_by_text("mini", exact=True).first.wait_for()
    page.get_by_text("linear", exact=True).first.wait_for()


def test_the_curves_are_drawn(page, address, mini):
    page.goto(f"{address}/#/experiments/{mini.experiment_id}/runs/{mini.run_id}/model-metrics")
    page.get_by_placeholder("Search metric charts").fill("train/loss")
    page.locator(".js-plotly-plot .scatterlayer path.js-line").first.wait_for(state="attached")


def test_the_pictures_are_there(page, address, mini):
    picture = next(path for path in artifacts(address, mini.run_id, "plots") if path.endswith(".png"))
    page.goto(f"{address}/#/experiments/{mini.experiment_id}/runs/{mini.run_id}/artifacts/{picture}")
    image = page.locator("img[src^='blob:']").first
    image.wait_for(state="attached")
    page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=image.element_handle())


def artifacts(address: str, run_id: str, path: str) -> list[str]:
    with urllib.request.urlopen(f"{address}/api/2.0/mlflow/artifacts/list?run_id={run_id}&path={path}") as answer:
        return [file["path"] for file in json.load(answer)["files"]]


def test_the_card_is_the_versions_description(page, address, made):
    name = read_json(made[0] / "reports/winner.json")["registered_model"]
    page.goto(f"{address}/#/models/{name}/versions/1")
    page.get_by_role("heading", name="What it is for").first.wait_for()
    page.get_by_role("heading", name="Figures").first.wait_for()
    row = page.locator("table tr", has_text="macro-F1").first
    row.wait_for()
    assert row.locator("td").count() >= 2, "its tables are drawn as tables"


def test_the_card_is_drawn_and_asks_for_nothing(page, address, made):
    winner = read_json(made[0] / "reports/winner.json")
    run = runs.find_run(
        store.connect(made[0]),
        locked_key(made[0], candidate_stage(winner["winner"], read_card(made[0] / winner["model"]).kind)),
    ).info
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/#/experiments/{run.experiment_id}/runs/{run.run_id}/artifacts")
    page.get_by_text("card", exact=True).first.click()
    page.get_by_text(f"{winner['registered_model']}-1.html").first.click()
    card = page.frame_locator("iframe")
    card.get_by_role("heading", name="What the gate decided").wait_for()
    pictures = card.locator("svg[role=img]").all()
    assert len(pictures) > 4
    assert all(picture.bounding_box()["height"] > 8 for picture in pictures)
    assert [url for url in asked if not url.startswith((address, f"blob:{address}"))] == []


def test_the_champion_is_shown(page, address, made):
    name = read_json(made[0] / "reports/winner.json")["registered_model"]
    page.goto(f"{address}/#/models/{name}")
    page.get_by_text("champion").first.wait_for()
    page.get_by_text("Version 1").first.wait_for()
