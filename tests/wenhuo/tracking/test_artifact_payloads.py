"""The server behind ``wenhuo ui``, started as a person starts it, gives away and writes nothing outside the store."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from wenhuo.errors import TrackingError
from wenhuo.tracking import pages, store

pytestmark = pytest.mark.timeout(240)
ROOT = Path(__file__).resolve().parents[3]
SECRET = b"nobody may read this"
TAG = "mlflow.artifactLocation"
ATTACHMENT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


class Server:
    """A project with one run, a folder with secrets beside it, and its server."""

    def __init__(self, place: Path) -> None:
        self.root, self.outside = place / "project", place / "outside"
        (self.outside / "attachments").mkdir(parents=True)
        for name in ("secret.txt", "traces.json", f"attachments/{ATTACHMENT}"):
            (self.outside / name).write_bytes(SECRET)
        self.root.mkdir()
        client = store.connect(self.root)
        self.run = client.create_run(store.experiment_id(client), run_name="shown").info.run_id
        (place / "plot.txt").write_text("a plot")
        client.log_artifact(self.run, str(place / "plot.txt"), "plots")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def ask(self, method: str, path: str, body=None, **headers: str) -> tuple[int, bytes]:
        """Send a request as it is: no client mends its path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection._validate_path = lambda path: None
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, data, kind | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def post(self, path: str, body: dict) -> dict:
        status, said = self.ask("POST", f"/api/2.0/mlflow/{path}", body)
        return json.loads(said) if status == 200 else {}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        made = Server(tmp_path_factory.mktemp("payloads"))
        environment = os.environ | {"PYTHONPATH": str(ROOT), "AWS_ACCESS_KEY_ID": "none"}
        command = [sys.executable, "-m", "wenhuo", "ui", "--port", str(made.port)]
        log = made.root.parent / "log"  # a pipe that nobody reads would stop the server
        with log.open("wb") as file:
            process = subprocess.Popen(command, cwd=made.root, env=environment, stdout=file, stderr=file)
    deadline = time.monotonic() + 180
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        try:
            if made.ask("GET", "/health")[0] == 200:
                break
        except OSError:
            time.sleep(0.2)
    yield made
    process.terminate()
    process.wait(60)


def payloads(secret: Path) -> list[str]:
    """Names that mean a file outside, in every disguise."""
    climbing, absolute = "../" * 12 + str(secret)[1:], str(secret)
    named = [climbing, f"plots/{climbing}", f"#/{climbing}", f";/{climbing}", f"plots;/{climbing}"]
    named += [
        climbing.replace("../", step) for step in ("%2e%2e/", "%252e%252e/", "..%2f", "..%252f", "..;/", "....//")
    ]
    named += [climbing.replace("/", "\\"), climbing.replace("/", "%5c"), f"plot.txt%00{climbing}", f"{climbing}%00.txt"]
    named += [
        absolute,
        f"/{absolute}",
        f"//{absolute}",
        f"file://{absolute}",
        f"file:{absolute}",
        quote(absolute, safe=""),
    ]
    return [*named, f"file://localhost{absolute}", "%00", "..", "%2e%2e", "plots/../../../../../../outside/secret.txt"]


def test_names_that_climb_out_reach_nothing(server):
    addresses = [
        f"/get-artifact?run_id={server.run}&path=",
        f"/get-artifact?run_uuid={server.run}&path=",
        f"/api/2.0/mlflow/artifacts/list?run_id={server.run}&path=",
        f"/ajax-api/2.0/mlflow/artifacts/list?run_id={server.run}&path=",
        "/api/2.0/mlflow-artifacts/artifacts/",
        "/ajax-api/2.0/mlflow-artifacts/artifacts?path=",
        "/static-files/",
        "/",
    ]
    assert server.ask("GET", f"{addresses[0]}plots/plot.txt") == (200, b"a plot")  # it does serve what it should
    assert b"plots/plot.txt" in server.ask("GET", f"{addresses[2]}plots")[1]
    for payload in payloads(server.outside / "secret.txt"):
        for address in addresses:
            status, said = server.ask("GET", address + payload)
            assert SECRET not in said, (address, payload)
            assert b"secret.txt" not in said or status in (308, 400, 404, 503), (address, payload, said)


def places(server: Server) -> list[str]:
    outside = str(server.outside)
    inside = str(server.root / store.ARTIFACTS)
    local = [
        f"file://{outside}",
        outside,
        f"file:{outside}",
        f"file://localhost{outside}",
        "../outside",
        "file:../outside",
    ]
    return [*local, f"{inside}/../../../outside", f"file://{inside}/%2e%2e/%2e%2e/../../outside", "s3://bucket/x"]


def test_experiments_that_lie_elsewhere_are_neither_read_nor_written(server):
    before = sorted(server.outside.rglob("*"))
    for number, place in enumerate(places(server)):
        made = server.post("experiments/create", {"name": f"e{number}", "artifact_location": place})
        if not made:
            continue
        run = server.post("runs/create", {"experiment_id": made["experiment_id"]})["run"]["info"]["run_id"]
        for path in ("secret.txt", "../../secret.txt", "plot.txt"):
            status, said = server.ask("GET", f"/get-artifact?run_id={run}&path={path}")
            assert status >= 400 and SECRET not in said, (place, path, said)
        status, said = server.ask("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x.txt", b"evil")
        assert (status, b"no place of this project" in said) == (400, True), (place, said)
    assert sorted(server.outside.rglob("*")) == before
    assert not list(server.root.parent.rglob("x.txt"))


def test_versions_and_traces_that_lie_elsewhere_are_not_read(server):
    assert server.post("registered-models/create", {"name": "evil"})
    for place in [
        *places(server),
        f"runs:/{server.run}/../../..",
        "http://127.0.0.1:1/",
        "ftp://127.0.0.1/",
        "models:/evil/1",
    ]:
        for run in ({}, {"run_id": server.run}):
            made = server.post("model-versions/create", {"name": "evil", "source": place, **run})
            number = made.get("model_version", {}).get("version", 1)
            for path in ("secret.txt", "../secret.txt"):
                said = server.ask("GET", f"/model-versions/get-artifact?name=evil&version={number}&path={path}")
                assert said[0] >= 400 and SECRET not in said[1], (place, said)
    trace = server.post("traces", {"experiment_id": "1", "timestamp_ms": 1, "request_metadata": [], "tags": []})
    name = trace["trace_info"]["request_id"]
    moved = {"request_id": name, "key": TAG, "value": f"file://{server.outside}"}
    assert server.ask("PATCH", f"/api/2.0/mlflow/traces/{name}/tags", moved)[0] == 200  # MLflow allows that
    for path in ("", f"&path={ATTACHMENT}"):
        status, said = server.ask("GET", f"/ajax-api/2.0/mlflow/get-trace-artifact?request_id={name}{path}")
        assert (status, SECRET in said) == (400, False)


@pytest.mark.parametrize(
    "host", ["evil.com", "10.evil.com", "192.168.evil.com:5000", "172.16.evil.com", "127.0.0.1.evil.com"]
)
def test_a_name_that_was_pointed_here_is_refused(server, host):
    address = "/api/2.0/mlflow/experiments/get?experiment_id=1"
    assert server.ask("GET", address, Host=host)[0] == 403
    assert server.ask("GET", address, Host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.com", "null", "http://127.0.0.1.evil.com"])
def test_another_site_changes_nothing(server, origin):
    assert server.ask("POST", "/ajax-api/2.0/mlflow/runs/create", {"experiment_id": "1"}, Origin=origin)[0] == 403


@pytest.mark.parametrize("path", ["/ajax-api/3.0/mlflow/assistant/config", "/gateway/x", "/ajax-api/3.0/jobs/x"])
def test_what_browsing_does_not_need_is_not_there(server, path):
    assert server.ask("GET", path) == (404, b"wenhuo ui does not serve this")


def test_a_store_that_is_a_server_is_not_served_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:hunter2@mlflow.example.org")
    with pytest.raises(TrackingError, match=r"https://mlflow\.example\.org already"):
        pages.serve(tmp_path, "127.0.0.1", 5000)
