"""Check ``prefect.yaml`` and ``dvc.yaml``: ``python -m flows.lint``.

Prefect ignores keys that it does not know, so that a misspelt one changes nothing and says nothing. What it knows is
read from its own models; ``tests/flows/test_lint.py`` fails when a new Prefect has moved them.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from flows.environment import prepare
from wenhuo.console import say
from wenhuo.errors import GraphError, SettingsError, WenhuoError
from wenhuo.graph import stages
from wenhuo.settings import read_yaml

CONFIGURATION = "prefect.yaml"


def check_deployments(root: Path) -> list[str]:
    """The names of the deployments in ``prefect.yaml``.

    Raises:
        SettingsError: with every mistake in it, one a line.
    """
    from prefect.cli.deploy._models import PrefectYamlModel

    content = read_yaml(root / CONFIGURATION)
    deployments = [d for d in _list(content, "deployments") if isinstance(d, dict)]
    mistakes = list(_unknown(content, PrefectYamlModel, ""))
    for number, deployment in enumerate(deployments):
        where = f"deployments[{number}]"
        mistakes += [f"{where}.{mistake}" for mistake in (*_flow(root, deployment), *_schedules(deployment))]
    if not deployments:
        mistakes.append("deployments: there is none")
    if mistakes:
        raise SettingsError(f"{CONFIGURATION}:\n  " + "\n  ".join(mistakes), "mend it and run again")
    return [str(deployment.get("name")) for deployment in deployments]


def check_graph(root: Path) -> list[str]:
    """The addressings of the stages in ``dvc.yaml``.

    Raises:
        GraphError: it is not valid, or a stage's ``meta`` does not say how often to retry in whole numbers.
    """
    found = stages(root)
    for stage in found:
        for key in ("retries", "retry_delay_seconds"):
            value = stage.meta.get(key, 0)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                what = f"dvc.yaml: {stage.addressing}: meta.{key} is {value!r}"
                raise GraphError(what, "give a whole number from 0 on")
    return [stage.addressing for stage in found]


def main(argv: list[str]) -> int:
    """Check both files; the exit code is 0, or 1 when something is wrong (wrong usage exits with 2)."""
    parser = argparse.ArgumentParser("python -m flows.lint", description="Check prefect.yaml and dvc.yaml.")
    parser.add_argument("--root", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: here)")
    root = parser.parse_args(argv).root.resolve()
    prepare(root)
    wrong = 0
    for name, check in (("dvc.yaml", check_graph), (CONFIGURATION, check_deployments)):
        try:
            say(f"{name}: {', '.join(check(root))}")
        except WenhuoError as error:
            wrong = 1
            print(f"error: {error}", file=sys.stderr, flush=True)
    return wrong


def _unknown(value: Any, model: type[BaseModel], where: str) -> Iterator[str]:
    """The keys that the model of a mapping does not have, there and below."""
    if not isinstance(value, dict):
        return
    model.model_rebuild(force=True)  # some of its fields name models that come later in Prefect's file
    known = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for key, inner in value.items():
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            yield f"{where}{key}: unknown key" + (f" (did you mean {close[0]}?)" if close else "")
            continue
        for kind in _models(known[key]):
            items = enumerate(inner) if isinstance(inner, list) else [(None, inner)]
            for number, item in items:
                place = f"{where}{key}" if number is None else f"{where}{key}[{number}]"
                yield from _unknown(item, kind, f"{place}.")


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The model that Prefect's configuration has for a field: the first of a union, where there are several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)][:1]


def _flow(root: Path, deployment: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a deployment's entrypoint and parameters."""
    file, _, name = str(deployment.get("entrypoint")).partition(":")
    path = root / file
    if not path.is_file():
        yield f"entrypoint: there is no file {file}"
        return
    functions = [node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef)]
    function = next((node for node in functions if node.name == name), None)
    if function is None:
        yield f"entrypoint: {file} has no function {name!r}"
        return
    known = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
    for parameter in deployment.get("parameters") or {}:
        if parameter not in known:
            yield f"parameters.{parameter}: {name} has no such parameter; it has {', '.join(known)}"


def _schedules(deployment: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a deployment's schedules, and whether it has a work pool."""
    from prefect.client.schemas.schedules import CronSchedule

    for number, schedule in enumerate(_list(deployment, "schedules")):
        if isinstance(schedule, dict) and "cron" in schedule:
            try:
                CronSchedule(cron=schedule["cron"], timezone=schedule.get("timezone"))
            except ValueError as error:
                reason = str(error).splitlines()[2].strip() if len(str(error).splitlines()) > 2 else str(error)
                yield f"schedules[{number}]: {reason.partition(' [type=')[0]}"
    if not (deployment.get("work_pool") or {}).get("name"):
        yield "work_pool.name: missing"


def _list(mapping: Any, key: str) -> list[Any]:
    found = mapping.get(key) if isinstance(mapping, dict) else None
    return found if isinstance(found, list) else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
