"""The command line of the stages: arguments from ``run``'s signature, parameters from the file, errors at the edge."""

from __future__ import annotations

import argparse
import importlib
import inspect
from pathlib import Path
from types import ModuleType

from pretraining import STAGES
from tasks.command import stage_arguments
from wenhuo.errors import exit_code
from wenhuo.settings import Section, parse_sections, read_yaml

PARAMETERS = Path("params.yaml")


def stage_module(stage: str) -> ModuleType:
    """The module of a stage."""
    return importlib.import_module(f"pretraining.{stage}")


def read_parameters(path: Path = PARAMETERS) -> dict[str, Section]:
    """All sections of the file.

    Raises:
        SettingsError: with every mistake in it.
    """
    modules = {stage: stage_module(stage) for stage in STAGES}
    models = {stage: module.Params for stage, module in modules.items() if module.Params.__module__ == module.__name__}
    return parse_sections(read_yaml(path), models, where=str(path))


def main(argv: list[str]) -> int:
    """Run a stage and return the exit code: 0, or 1 for what the user can mend (wrong usage exits with 2)."""
    parser = argparse.ArgumentParser("python -m pretraining", description=__doc__)
    stages = parser.add_subparsers(dest="stage", metavar="STAGE", required=True)
    for stage in STAGES:
        module = stage_module(stage)
        sub = stages.add_parser(stage, help=(inspect.getdoc(module) or "").splitlines()[0])
        for name in stage_arguments(module.run):
            sub.add_argument(f"--{name}", required=True, type=Path)
    arguments = vars(parser.parse_args(argv))
    return exit_code(lambda: _run(arguments.pop("stage"), arguments))


def _run(stage: str, paths: dict[str, Path]) -> None:
    module = stage_module(stage)
    section = next(found for found in read_parameters().values() if isinstance(found, module.Params))
    module.run(section, **paths)
