"""The command line of the stages: arguments from ``run``'s signature, parameters from the file, errors at the edge."""

from __future__ import annotations

import argparse
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from tasks import STAGES
from wenhuo.errors import SettingsError, exit_code
from wenhuo.settings import Section, parse_sections, read_yaml

PARAMETERS = Path("params.yaml")
EXPECTATIONS = Path("expectations.yaml")
DECLARED = Path("search.yaml")


def stage_module(stage: str) -> ModuleType:
    """The module of a stage."""
    return importlib.import_module(f"tasks.{stage}")


def section_models() -> dict[str, type[Section]]:
    """Section name to parameter model, for every stage that has a section of its own."""
    modules = {stage: stage_module(stage) for stage in STAGES}
    return {stage: module.Params for stage, module in modules.items() if module.Params.__module__ == module.__name__}


def read_parameters(path: Path = PARAMETERS) -> dict[str, Section]:
    """All sections of ``params.yaml``.

    Raises:
        SettingsError: with every mistake in the file.
    """
    sections = parse_sections(read_yaml(path), section_models(), where=str(path))
    mistakes = stage_module("train").disagreements(sections["train"], sections["encode"])
    mistakes += stage_module("blend").disagreements(sections["blend"], sections["train"])
    if mistakes:
        raise SettingsError(f"{path}: " + "\n  ".join(mistakes), "mend them and run again")
    return sections


def stage_arguments(run: Callable[..., Any]) -> list[str]:
    """The names of the keyword-only arguments of a stage's function: its paths, and ``name``."""
    return [p.name for p in inspect.signature(run).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tasks", description="Run one stage of the graph in dvc.yaml.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="read params.yaml, expectations.yaml and search.yaml, report every mistake, run nothing",
    )
    stages = parser.add_subparsers(dest="stage", metavar="STAGE")
    for stage in STAGES:
        module = stage_module(stage)
        text = inspect.getdoc(module) or ""
        sub = stages.add_parser(
            stage, help=text.splitlines()[0], description=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        for name in stage_arguments(module.run):
            sub.add_argument(f"--{name}", required=True, type=str if name == "name" else Path)
    return parser


def main(argv: list[str]) -> int:
    """Run a stage and return the exit code: 0, or 1 for what the user can mend (wrong usage exits with 2)."""
    parser = _parser()
    arguments = vars(parser.parse_args(argv))
    stage, check = arguments.pop("stage"), arguments.pop("check")
    if not stage and not check:
        parser.error("name a stage, or --check")
    return exit_code(lambda: _run(stage, arguments, check=check))


def _run(stage: str | None, arguments: dict[str, Any], *, check: bool) -> None:
    sections = read_parameters()
    if check and EXPECTATIONS.exists():
        from wenhuo.validation.own import read_expectations

        read_expectations(EXPECTATIONS)
    if check and DECLARED.exists():
        from wenhuo.search.project import read_project

        read_project(PARAMETERS.parent)
    if stage:
        module = stage_module(stage)
        section = next(s for s in sections.values() if isinstance(s, module.Params))
        module.run(section, **arguments)
