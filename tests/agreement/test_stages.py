"""What must agree: the graph, the stages' modules, their parameters, the code they use and what the pages say."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tasks import STAGES
from tasks.command import read_parameters, section_models, stage_arguments, stage_module

ROOT = Path(__file__).resolve().parents[2]
GRAPH = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
SECTIONS = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))

# These carry, print, store and look up; no byte of a stage's output is chosen in them. Were they among the deps, a new
# word in an error message would train every model again.
CHANGE_NO_RESULT = {"wenhuo", "wenhuo.errors", "wenhuo.files", "wenhuo.settings", "wenhuo.console", "wenhuo.lineage"}
CHANGE_NO_RESULT |= {"wenhuo.graph", "wenhuo.tracking", "wenhuo.tracing", "wenhuo.keeping", "tasks", "tasks.command"}


def definition(stage: str) -> dict:
    entry = GRAPH[stage]
    return entry.get("do", entry)


def test_a_stage_has_one_name_in_the_graph_and_the_code():
    assert tuple(GRAPH) == STAGES
    modules = {path.stem for path in (ROOT / "tasks").glob("*.py")} - {"__init__", "__main__", "command"}
    assert modules == set(STAGES)


def test_sections_are_stages_and_those_that_look_at_sources_share_theirs():
    assert list(SECTIONS) == [stage for stage in STAGES if stage not in {"source", "texts"}]
    assert set(section_models()) == set(SECTIONS)


def test_the_shipped_parameters_load():
    read_parameters(ROOT / "params.yaml")


def test_the_shipped_parameters_are_the_models_defaults_where_they_have_one():
    parsed = read_parameters(ROOT / "params.yaml")
    for name in ("ingest", "validate", "clean", "split", "audit", "describe", "pretrain", "evaluate", "register"):
        assert section_models()[name]().model_dump() == parsed[name].model_dump(), name


@pytest.mark.parametrize("stage", STAGES)
def test_commands_give_the_arguments_that_the_stage_takes(stage):
    given = re.findall(r"--(\w+)", definition(stage)["cmd"])
    assert definition(stage)["cmd"].startswith(f"python3 -m tasks {stage} ")
    assert sorted(given) == sorted(stage_arguments(stage_module(stage).run))


@pytest.mark.parametrize("stage", STAGES)
def test_paths_in_commands_are_dependencies_or_outputs(stage):
    known = [
        p if isinstance(p, str) else next(iter(p))
        for kind in ("deps", "outs", "metrics", "plots")
        for p in definition(stage).get(kind, [])
    ]
    for option, path in re.findall(r"--(\w+) (\S+)", definition(stage)["cmd"]):
        if option != "name":
            assert any(path == k or k.startswith(f"{path}/") or path.startswith(f"{k}/") for k in known), (option, path)


def module_path(name: str) -> Path | None:
    path = ROOT / Path(*name.split("."))
    return (
        path / "__init__.py" if path.is_dir() else path.with_suffix(".py") if path.with_suffix(".py").exists() else None
    )


@cache
def imports(name: str) -> frozenset[str]:
    """The modules of ours that a module imports, at the top or inside functions."""
    path = module_path(name)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(m for m in found if m.split(".")[0] in {"wenhuo", "tasks"} and module_path(m))


def needed(stage: str) -> set[str]:
    """Every module of ours that a stage's results may depend on, through any number of imports."""
    seen, pending = set(), [f"tasks.{stage}"]
    while pending:
        name = pending.pop()
        if name in seen or any(name == n or name.startswith(f"{n}.") for n in CHANGE_NO_RESULT - {"wenhuo", "tasks"}):
            continue
        if name in {"wenhuo", "tasks"}:
            continue
        seen.add(name)
        pending += imports(name)
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_a_stage_imports_is_among_its_dependencies(stage):
    deps = definition(stage)["deps"]
    for name in needed(stage):
        path = module_path(name).relative_to(ROOT).as_posix()
        assert any(path == dep or path.startswith(f"{dep}/") for dep in deps), f"{stage} imports {path}"


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_on_code_are_used(stage):
    used = {module_path(name).relative_to(ROOT).as_posix() for name in needed(stage)}
    for dep in definition(stage)["deps"]:
        if dep.startswith(("wenhuo", "tasks")) and dep != "wenhuo/backbones":  # weights, which are no code
            assert (ROOT / dep).exists(), dep
            assert any(path == dep or path.startswith(f"{dep}/") for path in used), f"{stage} does not use {dep}"


def test_layers_point_one_way():
    for path in [*(ROOT / "wenhuo").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (prefect|flows)\b", text, re.M), path
        if "wenhuo" in path.relative_to(ROOT).parts[:1]:
            assert not re.search(r"^\s*(import|from) tasks\b", text, re.M), path
        if "tracking" not in path.parts:
            assert not re.search(r"^\s*(import|from) mlflow\b", text, re.M), path
        if path.name != "graph.py":
            assert not re.search(r"^\s*(import|from) dvc\b", text, re.M), path


def test_every_parameter_says_what_it_does():
    def fields(model):
        for name, field in model.model_fields.items():
            yield model.__name__, name, field
            for kind in [field.annotation, *getattr(field.annotation, "__args__", ())]:
                if inspect.isclass(kind) and hasattr(kind, "model_fields"):
                    yield from fields(kind)

    for model in section_models().values():
        for owner, name, field in fields(model):
            assert field.description or name == "kind" or hasattr(field.annotation, "model_fields"), f"{owner}.{name}"
