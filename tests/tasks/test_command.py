"""The edge: mistakes are one or two lines and exit code 1, wrong usage is exit code 2, no traceback reaches a user."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tasks.command import read_parameters
from wenhuo.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "tasks", tmp_path / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def change(project: Path, place: str, value: object) -> None:
    yaml = YAML()
    values = yaml.load(project / "params.yaml")
    *path, last = place.split(".")
    section = values
    for part in path:
        section = section[part]
    section[last] = value
    yaml.dump(values, project / "params.yaml")


def stage(project: Path, *arguments: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "tasks", *arguments]
    done = subprocess.run(
        command,
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [line for line in done.stderr.splitlines() if line]


def ingest(project: Path, source: str | Path, **more: object) -> tuple[int, list[str]]:
    change(project, "ingest.source", str(source))
    for name, value in more.items():
        change(project, f"ingest.{name}", value)
    code, said = stage(project, "source", "--fingerprint", "data/source.json")
    if code:
        return code, said
    paths = [
        "--fingerprint",
        "data/source.json",
        "--corpus",
        "c.parquet",
        "--rejected",
        "r.parquet",
        "--report",
        "i.json",
    ]
    return stage(project, "ingest", *paths)


def test_help_lists_the_stages(project):
    done = subprocess.run(
        [sys.executable, "-m", "tasks", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "ingest" in done.stdout
    assert "register" in done.stdout


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["split"], ["split", "--cleaned", "x"], ["split", "--nothing"]]
)
def test_wrong_usage_is_exit_code_2(project, arguments):
    assert stage(project, *arguments)[0] == 2


def test_all_mistakes_of_the_parameters_are_reported_together(project):
    change(project, "ingest.sorce", "x")
    change(project, "split.test", 1.5)
    change(project, "train.candidates.mini.learning_rate", -1)
    change(project, "evalate", {})
    code, said = stage(project, "--check")
    text = "\n".join(said)
    assert code == 1
    assert "ingest.sorce: unknown parameter (did you mean source?)" in text
    assert "split.test" in text
    assert "train.candidates.mini.learning_rate: " in text
    assert "evalate: unknown section (did you mean evaluate?)" in text


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("train.candidates.mini.encoder", "nothing", "there is no 'nothing' in encode.encoders (ngrams, characters)"),
        ("train.candidates.linear.encoder", "characters", "of kind tokens, a linear needs ngrams"),
        ("encode.encoders.characters.tokenizer", "corpus", "comes from no checkpoint"),
        ("train.candidates", {"A b;rm": {"kind": "linear", "encoder": "ngrams"}}, "'A b;rm' is no name"),
        ("encode.encoders.ngrams.shortest", 5, "shortest (5) is more than longest (3)"),
    ],
)
def test_what_does_not_fit_together_is_said(project, place, value, said):
    change(project, place, value)
    with pytest.raises(SettingsError) as caught:
        read_parameters(project / "params.yaml")
    assert said in str(caught.value)


BLENDS = {
    "linear": {"of": ["linear", "mini"]},
    "far": {"of": ["linear", "nobody"]},
    "twice": {"of": ["far", "mini"]},
}


def test_all_mistakes_of_blends_and_trainings_are_reported_together(project):
    change(project, "blend.candidates", BLENDS)
    change(project, "train.candidates.mini.encoder", "nothing")
    code, said = stage(project, "--check")
    text = "\n".join(said)
    assert code == 1
    assert "train.candidates.mini.encoder: there is no 'nothing'" in text
    assert "blend.candidates.linear: train.candidates has a 'linear' as well" in text
    assert "blend.candidates.far.of: there is no 'nobody' in train.candidates (linear, mini)" in text
    assert "blend.candidates.twice.of: 'far' is a blend itself" in text


def test_a_blend_has_two_to_four_members_each_once(project):
    change(project, "blend.candidates.both.of", ["linear"])
    change(project, "blend.candidates.more", {"of": ["linear", "mini", "mini"], "calibrate": "none"})
    change(project, "blend.candidates.many", {"of": [f"m{number}" for number in range(5)]})
    change(project, "blend.candidates.none", {})
    code, said = stage(project, "--check")
    text = "\n".join(said)
    assert code == 1
    assert "blend.candidates.both.of: list should have at least 2 items" in text
    assert "blend.candidates.more.of: mini stands there twice: name each member once" in text
    assert "blend.candidates.more.calibrate: unknown parameter" in text
    assert "blend.candidates.many.of: list should have at most 4 items" in text
    assert "blend.candidates.none.of: missing" in text


def test_no_blends_at_all_are_none(project):
    change(project, "blend.candidates", {})
    assert stage(project, "--check") == (0, [])
    assert read_parameters(project / "params.yaml")["blend"].candidates == {}


def test_broken_and_missing_parameter_files(project):
    (project / "params.yaml").write_text("ingest: [", encoding="utf-8")
    assert stage(project, "--check")[0] == 1
    (project / "params.yaml").write_text("", encoding="utf-8")
    assert "holds no sections" in stage(project, "--check")[1][0]
    (project / "params.yaml").unlink()
    assert "does not exist" in stage(project, "--check")[1][0]


def test_a_gb18030_file_is_read(project):
    text = "text,label\n" + "".join(f"房间很干净𠮷{i},好评\n服务很差{i},差评\n" for i in range(20))
    (project / "评论 表;$(x).csv").write_bytes(text.encode("gb18030"))
    assert ingest(project, project / "评论 表;$(x).csv") == (0, [])


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        ("", {}, "empty"),
        ("text,label\n", {}, "no rows"),
        ("a,b,c\n1,2,3\n", {}, "a, b, c"),
        ("text,label\n好,1\n", {"text": "body"}, "body"),
    ],
)
def test_files_that_do_not_fit_are_two_lines(project, content, more, said):
    (project / "x.csv").write_text(content, encoding="utf-8")
    code, lines = ingest(project, project / "x.csv", **more)
    assert code == 1
    assert len(lines) <= 3
    assert said in "\n".join(lines)
    assert lines[-1].startswith("  →")


def test_a_source_that_is_not_there(project):
    code, lines = ingest(project, "nowhere.csv")
    assert code == 1
    assert "nowhere.csv" in lines[0]
