"""A password or token in a source's address goes to the server that asks for it, and nowhere else."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest

from tasks import clean, ingest, source, split
from tests.conftest import BAD, GOOD, make_rows
from wenhuo.encoding import corpus
from wenhuo.encoding.options import Ngrams
from wenhuo.files import read_json, write_json
from wenhuo.inspection.terminal import inspect_sources
from wenhuo.lineage import Identity
from wenhuo.tracing.forward import stage_node
from wenhuo.tracing.states import Made
from wenhuo.tracing.tree import as_json
from wenhuo.tracking.candidates import Candidate, LiveRun
from wenhuo.tracking.store import first_line
from wenhuo.training import candidate
from wenhuo.training.options import LinearCandidate

SECRETS = (b"hunter2", b"alice", b"tok3n", b"s1gn")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def address(tmp_path):
    """A corpus behind an address that holds every kind of secret."""
    folder = tmp_path / "web"
    folder.mkdir()
    rows = [f"{text}\t{label}\n" for text, label in make_rows(300, {"坏": BAD, "好": GOOD}, 1)]
    (folder / "reviews.tsv").write_text("text\tlabel\n" + "".join(rows), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://alice:hunter2@127.0.0.1:{server.server_port}/reviews.tsv?access_token=tok3n&sig=s1gn"
    server.shutdown()
    server.server_close()


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    for name in [name for name in os.environ if name.startswith("MLFLOW_TRACKING")]:
        monkeypatch.delenv(name)
    return Path()


def holding(folder: Path) -> list[str]:
    """The files that hold a secret, in their names or anywhere in their bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(secret in bytes(path) + path.read_bytes() for secret in SECRETS)]


def learn(address: str) -> dict:
    """Everything that stands between the address and a model with its run, by the functions of the stages."""
    given = ingest.Params(source=address)
    source.run(given, fingerprint=Path("source.json"))
    ingest.run(
        given, fingerprint=Path("source.json"), corpus=Path("corpus.parquet"), rejected=Path("rejected.parquet"),
        report=Path("ingest.json"),
    )  # fmt: skip
    write_json(Path("validation.json"), {"success": True})
    Path("corrections.csv").write_text("id,given,label,note\n", encoding="utf-8")
    reports = {name: Path(f"{name}.parquet") for name in ("removed", "clusters", "contradictions")}
    clean.run(
        clean.Params(), corpus=Path("corpus.parquet"), validation=Path("validation.json"), report=Path("clean.json"),
        corrections=Path("corrections.csv"), cleaned=Path("cleaned.parquet"), **reports,
    )  # fmt: skip
    split.run(
        split.Params(), cleaned=Path("cleaned.parquet"), parts=Path("parts"), removed=Path("set_aside.parquet"),
        report=Path("split.json"),
    )  # fmt: skip
    corpus.encode_ngrams(Ngrams(kind="ngrams"), corpus.read_dataset(Path("parts")), Path("encoded"))
    Path("models/linear").mkdir(parents=True)
    options = LinearCandidate(kind="linear", encoder="x", c=5)
    candidate.train_linear(options, 13, Path("encoded"), Path("models/linear"))
    return read_json(Path("parts/dataset.json"))


def test_no_output_model_or_run_holds_it(address, place, capfd):
    dataset = learn(address)
    with LiveRun(Candidate(Identity("train@linear", "k" * 64), "linear", {"c": 5}, dataset)):
        pass
    assert "reviews.tsv?access_token=…&sig=…" in dataset["source"]
    assert "access_token=…" in Path("models/linear/wenhuo.json").read_text()
    assert holding(place) == []
    said = capfd.readouterr()
    assert not any(secret.decode() in said.out + said.err for secret in SECRETS)


def test_an_inspection_holds_it_no_more(address, place, capfd):
    inspect_sources([address], {}, None, shown=5, model=False)
    assert [path.name for path in place.iterdir()] == ["inspection-reviews"]
    assert holding(place) == []
    said = capfd.readouterr()
    assert not any(secret.decode() in said.out + said.err for secret in SECRETS)


def test_a_trace_shows_the_parameters_of_params_yaml_without_it():
    url = "https://alice:hunter2@example.org/a.csv?access_token=tok3n"
    given = {"ingest.source": url, "ingest.sources": [{"source": url}], "ingest.text": None, "ingest.label": "标签"}
    made = Made("ingest", {"cmd": "x", "params": {"params.yaml": given}})
    shown = orjson.loads(as_json(stage_node_of(made)))
    (parameters,) = (child for child in shown["children"] if child["kind"] == "parameters")
    masked = "https://…@example.org/a.csv?access_token=…"
    assert (parameters["ingest.source"], parameters["ingest.sources"]) == (masked, [{"source": masked}])
    assert parameters["ingest.label"] == "标签"


def stage_node_of(made: Made):
    from wenhuo.tracing.forward import Walk
    from wenhuo.tracing.states import State

    return stage_node(Walk(project=None), State("h", "dvc.lock", {made.stage: made}), made)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("request to http://me:hunter2@h/api failed", "request to http://…@h/api failed"),
        ("postgresql://me:p@ss@db/x is away\nmore", "postgresql://…@db/x is away"),
        ("no address, but me@example.org", "no address, but me@example.org"),
    ],
)
def test_what_mlflow_says_is_repeated_without_it(said, shown):
    assert first_line(RuntimeError(said)) == shown
