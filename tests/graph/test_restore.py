"""Trace and restore on a project whose graph ran: MLflow is a view, whatever happened to its store."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import polars as pl
import pytest
from ruamel.yaml import YAML

from tests.graph.conftest import python, repro
from wenhuo.files import read_json
from wenhuo.keeping import kept_versions
from wenhuo.tracking import store
from wenhuo.tracking.views import every_version, local_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

AUTHOR = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
IDENTITY = {"stage_key", "git_dirty", "dvc_lock_sha256", "environment_sha256", "cpu", "threads", "validation"}
IDENTITY |= {
    f"{kind}_{split}{end}" for kind, end in {"rows": "", "data": "_sha256"}.items() for split in ("train", "test")
}
IDENTITY = {f"wenhuo.{name}" for name in IDENTITY | {"rows_removed", "rows_corrected"}} | {"mlflow.source.git.commit"}
IDS = {"mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.log-model.history"}
"""Tags of MLflow's own that say who ran which program, not what a run is."""


def md5_of(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def hashes(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): md5_of(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def looked_into(project: Path) -> Path:
    """A folder with a copy of the store: MLflow keeps a database open that it once read, though it be deleted."""
    place = Path(tempfile.mkdtemp(dir=project.parent))
    shutil.copytree(project / "mlruns", place / "mlruns", ignore=shutil.ignore_patterns("artifacts"))
    return place


def shown(original: Path) -> dict:
    """All that the store shows, but times of recording and MLflow's ids; nested by key and name."""
    project = looked_into(original)
    client = store.connect(project)
    runs = {}
    for run in client.search_runs([store.experiment_id(client)]):
        metrics = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
        key = run.data.tags["wenhuo.stage_key"]
        assert key not in runs
        runs[key] = {
            "name": run.info.run_name,
            "status": run.info.status,
            "parameters": run.data.params,
            "tags": {name: value for name, value in run.data.tags.items() if name not in IDS},
            "metrics": {name: [(m.step, m.value) for m in history] for name, history in metrics.items()},
            "files": hashes(Path(client.download_artifacts(run.info.run_id, ""))),
            "data": [
                (
                    i.dataset.name,
                    i.dataset.digest,
                    i.dataset.source,
                    i.dataset.profile,
                    {t.key: t.value for t in i.tags},
                )
                for i in run.inputs.dataset_inputs
            ],
        }
    versions = {
        (one["name"], one["number"]): one
        | {"run": runs_key(client, one["run"]), "source": hashes(local_model(project, one["source"]).parent)}
        for one in every_version(project)
    }
    return {"runs": runs, "versions": versions}


def runs_key(client, run_id: str) -> str:
    return client.get_run(run_id).data.tags["wenhuo.stage_key"]


def wenhuo(project: Path, *arguments: str, expect: int = 0) -> str:
    return python(project, "-m", "wenhuo", *arguments, expect=expect)


def empty(project: Path) -> Path:
    """The project without its store."""
    for path in (project / "mlruns").iterdir():
        if path.name != ".gitignore":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return project


@pytest.fixture
def copied(made, tmp_path):
    """A copy of the project whose graph ran; its store shows what the first one's does, until it is emptied."""
    shutil.copytree(made[0], tmp_path / "copy", symlinks=True)
    shutil.copytree(made[0].parent / "评论 reviews", tmp_path / "评论 reviews")
    return tmp_path / "copy"


def test_an_empty_store_is_filled_again_field_by_field_and_only_once(made, copied):
    before = shown(made[0])
    assert len(before["runs"]) == 3
    (version,) = before["versions"].values()
    for told in (version, *before["runs"].values()):
        assert told["tags"].keys() >= IDENTITY
    empty(copied)
    said = wenhuo(copied, "summary")
    assert "`wenhuo restore`" in said
    assert "5 added, 0 were there, 0 cannot be brought back" in wenhuo(copied, "restore")
    assert shown(copied) == before
    ids = {one["run"] for one in every_version(looked_into(copied))}
    assert "0 added" in wenhuo(copied, "restore")
    assert shown(copied) == before
    assert {one["run"] for one in every_version(looked_into(copied))} == ids
    assert "`wenhuo restore`" not in wenhuo(copied, "summary")
    assert '"label":"好"' in wenhuo(copied, "predict", "--format", "jsonl", "前台很满意，推荐")


def test_a_fresh_clone_with_a_pull_shows_the_same(made, copied, tmp_path):
    git = ["git", *AUTHOR]
    for command in (
        ["dvc", "remote", "add", "-q", "-d", "shared", str(tmp_path / "remote")],
        ["dvc", "push", "-q"],
        [*git, "add", ".dvc/config", "dvc.lock", "reports"],
        [*git, "commit", "-qm", "results"],
        [*git, "clone", "-q", ".", str(tmp_path / "clone")],
    ):
        program = ["-m", *command] if command[0] == "dvc" else None
        python(copied, *program) if program else subprocess.run(command, cwd=copied, check=True)
    clone = tmp_path / "clone"
    python(clone, "-m", "dvc", "pull", "-q")
    assert "5 added, 0 were there, 0 cannot be brought back" in wenhuo(clone, "restore")
    assert shown(clone) == shown(made[0])
    assert (clone / "dvc.lock").read_bytes() == (made[0] / "dvc.lock").read_bytes()


def test_register_restores_what_it_needs(copied):
    empty(copied)
    said = repro(copied, "--force", "--single-item", "register")
    assert "they come first" in said
    assert "champion already" in read_json(copied / "reports/registration.json")["reason"]
    (version,) = every_version(looked_into(copied))
    assert (version["number"], version["aliases"]) == (1, ["champion"])


def test_versions_keep_their_numbers_when_an_older_one_is_gone(copied):
    parameters = copied / "params.yaml"
    text = parameters.read_text(encoding="utf-8")
    old = read_json(copied / "reports/winner.json")["winner"]
    parameters.write_text(text.replace("c: 0.5", "c: 0.7").replace("seed: 13\n  candidates", "seed: 14\n  candidates"))
    repro(copied)
    before = shown(copied)
    assert [one["number"] for one in kept_versions(copied)] == [1, 2]
    wenhuo(empty(copied), "restore")
    assert shown(copied) == before
    first = kept_versions(copied)[0]
    weights = next((copied / "models" / old).glob("*.safetensors")).name
    traced = wenhuo(copied, "trace", f"{first['name']}/1", "--verify")
    assert "all match" in traced
    served = {md5_of(path) for path in (copied / "mlruns/artifacts/models").rglob(weights)}
    (lost,) = served - {md5_of(copied / "models" / old / weights)}
    (copied / ".dvc/cache/files/md5" / lost[:2] / lost[2:]).unlink()
    said = wenhuo(empty(copied), "restore")
    assert f"lost: version 1 of {first['name']}" in said
    (left,) = every_version(looked_into(copied))
    assert left["number"] == 2


def test_from_the_champion_to_a_row_and_back_until_a_byte_flips(copied):
    found = wenhuo(copied, "trace", "champion", "--rows")
    assert "train.tsv:2 " in found
    name = read_json(copied / "reports/winner.json")["registered_model"]
    said = wenhuo(copied, "trace", "train.tsv:2")
    assert f"{name}/1  trained on it" in said
    assert "in train" in said
    assert "removed: stands in test" in wenhuo(copied, "trace", "train.tsv:315")
    assert f"{name}/1  measured on the same text" in wenhuo(copied, "trace", "train.tsv:315")
    assert "measured on it" in wenhuo(copied, "trace", "test.tsv:2")
    assert "all match" in wenhuo(copied, "trace", "champion", "--verify")
    weights = next((copied / "models/linear").glob("*.safetensors"))
    md5 = md5_of(weights)
    kept = copied / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.chmod(0o644)
    kept.write_bytes(content)
    kept.chmod(0o444)
    assert "up to date" in python(copied, "-m", "dvc", "status", "train@linear")  # DVC believes a read-only object
    said = wenhuo(copied, "trace", "models/linear", "--verify", expect=1)
    assert f"{md5[:2]}/{md5[2:]}  no longer matches its name" in said
    assert "1 no longer match" in said


def test_a_champion_of_chnsenticorp_leads_to_a_row_of_train_tsv_and_back(make_project, tmp_path):
    published = Path(__file__).parents[2] / "../shared/data/chnsenticorp"
    if not published.is_dir():
        pytest.skip("ChnSentiCorp is not here")
    project, source = make_project("chnsenticorp"), tmp_path / "chnsenticorp"
    source.mkdir()
    for name, rows in {"train": 400, "dev": 100, "test": 100}.items():
        lines = (published / f"{name}.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
        (source / f"{name}.tsv").write_text("".join(lines[: rows + 1]), encoding="utf-8")
    only_linear(project, source)
    repro(project)
    forward = json.loads(wenhuo(project, "trace", "champion", "--rows", "--json"))
    seen = {row["place"]: row["name"] for row in below(forward, "row")}
    place = next(place for place in seen if place.startswith("train.tsv:"))
    assert forward["name"] == "wenhuo-chnsenticorp/1"
    for asked in (place, seen[place]):
        back = json.loads(wenhuo(project, "trace", asked, "--json"))
        (version,) = below(back, "version")
        assert (version["name"], version["verdict"]) == ("wenhuo-chnsenticorp/1", "trained on it")
    label, text = (source / "train.tsv").read_text(encoding="utf-8").split("\n")[line_of(place)].split("\t")[:2]
    assert row_of(project, seen[place]) == (label, text)


def only_linear(project: Path, source: Path) -> None:
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    values["ingest"]["source"] = str(source)
    del values["train"]["candidates"]["mini"], values["encode"]["encoders"]["characters"]
    values["blend"]["candidates"] = {}
    values["audit"]["max_rows"] = 100
    yaml.dump(values, project / "params.yaml")


def below(node: dict, kind: str) -> list[dict]:
    found = [node] if node["kind"] == kind else []
    return found + [one for child in node.get("children", ()) for one in below(child, kind)]


def line_of(place: str) -> int:
    """A row's line, from 0 on; in a place the header's is 1."""
    return int(place.rpartition(":")[2]) - 1


def row_of(project: Path, row: str) -> tuple[str, str]:
    found = pl.read_parquet(project / "data/corpus.parquet").filter(pl.col("id") == row)
    return found["label"].item(), found["text"].item()
