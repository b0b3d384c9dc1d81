"""Copies of the project in which the whole graph runs, on a small folder of reviews with planted faults."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import BAD, GOOD, NEUTRAL, make_rows

ROOT = Path(__file__).resolve().parents[2]
LABELS = {"差": BAD, "中": NEUTRAL, "好": GOOD}
DECISIONS = "reports/decisions.jsonl"  # like dvc.lock, what the developer's own runs left
SMALL = {
    "backbone": "scratch",
    "layers": 1,
    "hidden": 32,
    "heads": 2,
    "learning_rate": 0.003,
    "batch_size": 16,
    "log_steps": 3,
}


def environment() -> dict[str, str]:
    """This environment with the interpreter's own programs first, and without what a person may have set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PREFECT_", "DVC_"))}
    quiet = {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "true", "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "160"}
    return kept | quiet | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def start(project: Path, *command: str) -> subprocess.Popen:
    return subprocess.Popen(
        command, cwd=project, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(project: Path, *command: str, expect: int = 0) -> str:
    """What a command says; it must end with the exit code that is expected and without a traceback."""
    done = start(project, *command)
    said, _ = done.communicate(timeout=600)
    assert done.returncode == expect, said
    assert "Traceback" not in said, said
    return said


def python(project: Path, *arguments: str, expect: int = 0) -> str:
    return run(project, sys.executable, *arguments, expect=expect)


def repro(project: Path, *arguments: str, expect: int = 0) -> str:
    return python(project, "-m", "dvc", "repro", *arguments, expect=expect)


def write_source(folder: Path) -> None:
    """Reviews in three files: 20 rows of test and 10 repeats stand in train, 2 rows cannot be read."""
    folder.mkdir()
    test, validation = make_rows(90, LABELS, 2), make_rows(90, LABELS, 1)
    train = make_rows(300, LABELS, 0)
    train = [*train, *train[:10], *test[:20]]
    lines = {"train": [*(f"{t}\t{x}" for t, x in train), "没有标签\t", "多\t一\t列"]}
    lines |= {"dev": [f"{t}\t{x}" for t, x in validation], "test": [f"{t}\t{x}" for t, x in test]}
    for name, rows in lines.items():
        encoding = "gb18030" if name == "dev" else "utf-8"
        (folder / f"{name}.tsv").write_text("\n".join(["text\tlabel", *rows]) + "\n", encoding=encoding)


def change_parameters(project: Path, **mini: object) -> None:
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    values["ingest"]["source"] = "../评论 reviews"
    values["evaluate"]["bootstrap"] = 100
    values["encode"]["encoders"]["characters"]["tokenizer"] = "corpus"
    values["train"]["candidates"]["mini"].update(SMALL | mini)
    yaml.dump(values, project / "params.yaml")


@pytest.fixture(scope="session")
def make_project(tmp_path_factory):
    """A function that makes a copy of the project, as a clone would be, beside the source."""
    place = tmp_path_factory.mktemp("projects")
    write_source(place / "评论 reviews")

    def make(name: str, **mini: object) -> Path:
        project = place / name
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for file in filter(None, files):
            left = file.startswith(("tests/", "docs/", "reports/lineage/")) or file in {"dvc.lock", DECISIONS}
            if (ROOT / file).is_file() and not left:
                (project / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / file, project / file)
        change_parameters(project, **{"epochs": 3, **mini})
        author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "start"]):
            subprocess.run(["git", *command], cwd=project, check=True)
        return project

    return make


@pytest.fixture(scope="session")
def made(make_project):
    """A project whose whole graph has run once, by `dvc repro`; and what that said."""
    project = make_project("made")
    return project, repro(project)
