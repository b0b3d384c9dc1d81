"""Parameters: read once from ``params.yaml`` into frozen models, every mistake reported together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from wenhuo.errors import SettingsError

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Section(BaseModel):
    """A group of parameters: frozen, and an unknown name in it is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_yaml(path: Path) -> Any:
    """The value of a YAML 1.2 file (the dialect that DVC reads).

    Raises:
        SettingsError: the file is missing or is not YAML.
    """
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist", "run the command in the project's folder") from None
    except (YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"{path} is not valid YAML: {reason}", "mend the line named above") from None


def parse_sections(values: Any, models: Mapping[str, type[Section]], *, where: str) -> dict[str, Section]:
    """Each section of ``values`` as its model.

    Args:
        values: what the file holds: section name to a mapping of parameters.
        models: section name to the model that describes it.
        where: the file's name, for messages.

    Raises:
        SettingsError: with every mistake of every section, one a line.
    """
    if not isinstance(values, dict):
        raise SettingsError(f"{where} holds no sections", f"it needs: {', '.join(models)}")
    mistakes = [f"{name}: unknown section{_guess(name, models)}" for name in values if name not in models]
    parsed: dict[str, Section] = {}
    for name, model in models.items():
        found = mistakes_in(name, model, values.get(name) or {})
        mistakes += found
        if not found:
            parsed[name] = model.model_validate(values.get(name) or {})
    if mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise SettingsError(f"{where}: {count}\n  " + "\n  ".join(mistakes), "mend them and run again")
    return parsed


def mistakes_in(section: str, model: type[Section], values: Any) -> list[str]:
    """What is wrong with values that are to become a model, a line each: where (below ``section``) and why."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [f"{section}{_place(item, values)}: {_reason(item, model)}" for item in error.errors()]
    return []


def _place(item: Any, values: Any) -> str:
    """Where a mistake stands in the file; pydantic also names kinds of a union and keys, which the file does not."""
    place, location = "", item["loc"]
    absent = location[-1:] if item["type"] == "missing" else ()
    for number, part in enumerate(location):
        if part == "[key]":
            continue
        if isinstance(values, dict):
            if part not in values and location[number:] != absent:
                continue
            values = values.get(part)
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place


def _reason(item: Any, model: type[Section]) -> str:
    if item["type"] == "extra_forbidden":
        return f"unknown parameter{_guess(str(item['loc'][-1]), _names(model))}"
    if item["type"] == "missing":
        return "missing, and it has no default"
    message = item["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return f"{message[0].lower()}{message[1:]}, not {item['input']!r}" if item["type"] != "value_error" else message


def _names(model: type[BaseModel]) -> list[str]:
    """The names of all fields of a model and of the models its fields hold, for guessing what was meant."""
    names: list[str] = []
    pending: list[Any] = [model]
    while pending:
        kind = pending.pop()
        pending += getattr(kind, "__args__", ())
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += kind.model_fields
            pending += [field.annotation for field in kind.model_fields.values()]
    return names


def _guess(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close and close[0] != name else ""


def check_names(named: dict[str, Any]) -> dict[str, Any]:
    """A validator for mappings whose keys become file names, MLflow names and parts of commands."""
    bad = [name for name in named if not NAME.fullmatch(name)]
    if bad:
        raise ValueError(f"{bad[0]!r} is no name: use lower-case letters, digits, - and _, a letter first")
    return named
