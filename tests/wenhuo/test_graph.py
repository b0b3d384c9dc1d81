"""What wenhuo.graph uses of DVC: a new DVC that changes any of it fails here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wenhuo.errors import GraphError
from wenhuo.graph import (
    changed,
    current_entry,
    current_key,
    lock_entry,
    lock_order,
    locked_content,
    locked_key,
    order_lock,
    stage_key,
    stages,
)

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"DVC_NO_ANALYTICS": "1", "PYTHONPATH": str(REPOSITORY)}

GRAPH = """\
stages:
  train:
    foreach: ${candidates}
    do:
      desc: Train the
        candidate ${key}
      cmd: python ask.py ${key} && cat corpus/a.txt > model_${key}
      params: [seed, "candidates.${key}"]
      deps: [corpus, ask.py]
      outs: ["model_${key}"]
      meta: {retries: 2}
  ingest:
    cmd: mkdir corpus && echo 一 > corpus/a.txt && echo 二 > corpus/b.txt
    outs: [corpus]
  report:
    cmd: cat model_linear model_微调 > report
    deps: [model_linear, model_微调]
    outs: [report]
"""
PARAMETERS = """\
seed: 13
candidates:
  linear: {rate: 1e-5, steps: 3, share: 1.0, note: null}
  微调: {rate: "1e-5", on: true, name: "全角　字", nested: {b: [1, 2.50], a: {}}}
"""
ASK = """\
import os, sys
from pathlib import Path
from wenhuo.graph import current_key
Path(f"key_{sys.argv[1]}").write_text(current_key(".", os.environ["DVC_STAGE"]))
"""
BLENDING = """\
stages:
  train:
    foreach: ${names}
    do:
      cmd: mkdir -p models && echo ${item} > models/${item}
      outs: ["models/${item}"]
  blend:
    cmd: cat models/${of[0]} models/${of[1]} models/${of[-2]} models/${of[-1]} > models/all
    deps: ["models/${of[0]}", "models/${of[1]}", "models/${of[-2]}", "models/${of[-1]}"]
    outs: [models/all]
"""
HOLD = "import time; from dvc.repo import Repo; Repo('.').lock.lock(); print('held', flush=True); time.sleep(60)"


def dvc(root: Path, *arguments: str) -> None:
    environment = ENVIRONMENT | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=root, env=environment, check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    dvc(root, "init", "-q")
    (root / "dvc.yaml").write_text(GRAPH, encoding="utf-8")
    (root / "params.yaml").write_text(PARAMETERS, encoding="utf-8")
    (root / "ask.py").write_text(ASK, encoding="utf-8")
    return root


@pytest.fixture
def toy(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "项目")


@pytest.fixture(scope="module")
def built(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shutil.copytree(template, tmp_path_factory.mktemp("built") / "项目")
    dvc(root, "repro")
    return root


@pytest.fixture
def made(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "made", symlinks=True)


def test_stages_are_expanded_and_each_stands_after_its_upstream(toy: Path) -> None:
    found = {stage.addressing: stage for stage in stages(toy)}
    assert next(iter(found)) == "ingest"
    assert list(found)[-1] == "report"
    assert set(found) == {"ingest", "train@linear", "train@微调", "report"}
    train = found["train@微调"]
    assert (train.name, train.desc, train.meta) == ("train", "Train the candidate 微调", {"retries": 2})
    assert train.upstream == ("ingest",)
    assert found["report"].upstream == ("train@linear", "train@微调")


@pytest.mark.parametrize("of", [["c", "a"], ["a", "b", "c"], ["d", "b", "a", "c"]])
def test_a_stage_waits_for_two_to_four_members_that_are_counted_from_both_ends(tmp_path: Path, of: list[str]) -> None:
    """As `blend` does in dvc.yaml: of two members each is named twice, which DVC takes for once."""
    (tmp_path / "dvc.yaml").write_text(BLENDING, encoding="utf-8")
    (tmp_path / "params.yaml").write_text(f"of: {of}\nnames: [a, b, c, d]\n", encoding="utf-8")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    wanted = tuple(sorted(f"train@{name}" for name in of))
    assert next(stage.upstream for stage in stages(tmp_path) if stage.name == "blend") == wanted
    dvc(tmp_path, "repro", "-q")
    assert changed(tmp_path) == set()
    (tmp_path / "models/a").write_text("another\n")
    assert "blend" in changed(tmp_path)


def test_a_frozen_stage_waits_for_nobody(toy: Path) -> None:
    (toy / "dvc.yaml").write_text(GRAPH + "    frozen: true\n", encoding="utf-8")
    assert {s.addressing: s.upstream for s in stages(toy)}["report"] == ()


def test_changed_follows_the_files(made: Path) -> None:
    assert changed(made) == set()
    parameters = made / "params.yaml"
    parameters.write_text(PARAMETERS.replace("steps: 3", "steps: 4"), encoding="utf-8")
    assert changed(made) == {"train@linear"}
    assert changed(made, ["train@微调"]) == set()
    parameters.write_text(PARAMETERS, encoding="utf-8")
    (made / "report").unlink()
    assert changed(made) == {"report"}


def test_the_key_inside_a_running_stage_is_the_one_of_dvc_lock(made: Path) -> None:
    for name in ("linear", "微调"):
        inside = (made / f"key_{name}").read_text()
        assert inside == locked_key(made, f"train@{name}") == current_key(made, f"train@{name}")
        entry = lock_entry(made, f"train@{name}")
        assert current_entry(made, f"train@{name}") == {part: entry[part] for part in ("cmd", "deps", "params")}
    assert (made / "key_linear").read_text() != (made / "key_微调").read_text()


def test_what_the_lock_names_is_found_in_the_cache_after_it_is_gone(made: Path) -> None:
    found = locked_content(made, "report", "model_linear")
    assert found is not None
    assert found.read_text(encoding="utf-8") == "一\n"
    (made / "report").unlink()
    kept = locked_content(made, "report", "report")
    assert kept is not None
    assert kept.read_text(encoding="utf-8") == "一\n一\n"
    assert locked_content(made, "report", "nothing") is None
    kept.unlink()
    assert locked_content(made, "report", "report") is None


@pytest.mark.parametrize(
    "change", [{"cmd": "b"}, {"deps": [{"path": "x", "md5": "2"}]}, {"params": {"params.yaml": {"a": 2}}}]
)
def test_the_key_changes_with_command_inputs_and_parameters_only(change: dict[str, object]) -> None:
    entry = {"cmd": "a", "deps": [{"path": "x", "md5": "1"}], "params": {"params.yaml": {"a": 1}}}
    assert stage_key(entry | {"outs": [{"path": "y", "md5": "3"}]}) == stage_key(entry)
    assert stage_key(dict(reversed(entry.items()))) == stage_key(entry)
    assert stage_key(entry | change) != stage_key(entry)


def test_order_lock_changes_the_order_and_nothing_else(made: Path) -> None:
    lock = made / "dvc.lock"
    as_made, order = lock.read_bytes(), lock_order(made)
    assert order[0] == "ingest"
    order_lock(made, order[::-1])
    assert lock_order(made) == order[::-1]
    assert changed(made) == set()
    order_lock(made, ["absent", *order[:3]])
    assert lock.read_bytes() == as_made


def broken(old: str, new: str) -> Callable[[Path], None]:
    return lambda root: (root / "dvc.yaml").write_text(GRAPH.replace(old, new), encoding="utf-8") and None


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (broken("foreach:", "forech:"), "forech"),
        (broken("${candidates}", "${candidate}"), "candidate"),
        (broken("outs: [report]", "outs: [report"), "dvc.yaml"),
        (broken("outs: [report]", "outs: [corpus]"), "corpus"),
        (broken("    outs: [corpus]", "    outs: [corpus]\n    deps: [report]"), "ingest"),
        (lambda root: (root / "dvc.yaml").unlink(), "dvc.yaml"),
        (lambda root: (root / "params.yaml").write_text("a: [") and None, "params.yaml"),
        (lambda root: (root / "params.yaml").write_text("candidates: {a: 2024-01-02}") and None, "candidates.a"),
    ],
)
def test_a_broken_graph_is_named_on_one_line(toy: Path, damage: Callable[[Path], None], named: str) -> None:
    damage(toy)
    with pytest.raises(GraphError) as raised:
        stages(toy)
    assert named in raised.value.what
    assert "\n" not in raised.value.what
    assert raised.value.hint


def test_what_is_missing_is_named(toy: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for ask, named in {
        lambda: stages(empty): "DVC repository",
        lambda: lock_entry(toy, "ingest"): "dvc.lock",
        lambda: current_entry(toy, "train@none"): "train@none",
        lambda: current_entry(toy, "report"): "model_linear",
    }.items():
        with pytest.raises(GraphError, match=named):
            ask()
    (toy / "dvc.lock").write_text("stages: [", encoding="utf-8")
    with pytest.raises(GraphError, match=r"dvc\.lock"):
        lock_entry(toy, "ingest")


def test_a_lock_held_by_another_process_is_waited_for_and_then_named(toy: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=toy, stdout=subprocess.PIPE, env=ENVIRONMENT) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            with pytest.raises(GraphError, match="another DVC process"):
                changed(toy, patience=0)
        finally:
            holder.kill()
    assert "ingest" in changed(toy)


def test_a_half_written_lock_of_dvc_s_is_named_with_what_to_do(toy: Path) -> None:
    (toy / ".dvc" / "tmp").mkdir(exist_ok=True)
    (toy / ".dvc" / "tmp" / "rwlock").write_text("")  # what DVC leaves when it is killed while it writes
    with pytest.raises(GraphError, match="rwlock") as raised:
        changed(toy)
    assert "delete it" in raised.value.hint
