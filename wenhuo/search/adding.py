"""``wenhuo search add``: a trial becomes a candidate of ``params.yaml``, and a new encoder where it has one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wenhuo.console import say
from wenhuo.errors import SettingsError
from wenhuo.files import write_text
from wenhuo.search import studies
from wenhuo.search.changes import ENCODER, apart, replaced, setting
from wenhuo.search.insertion import insert
from wenhuo.search.project import PARAMETERS, Plan, make_plan
from wenhuo.search.results import SPOKEN, Result, chosen
from wenhuo.settings import NAME, read_yaml


def add(root: Path, name: str | None, candidate: str | None, place: int | None) -> str:
    """Write a trial into ``params.yaml``; nothing but the new lines changes. Return the candidate's name.

    Args:
        root: the project's folder.
        name: of the search; None where only one is declared.
        candidate: its name; None: that of the searched one and ``-best``.
        place: the trial; None: the best.

    Raises:
        SettingsError: the name is taken or none, or the file cannot be added to.
        DataError: the trial has not been completed.
    """
    plan = make_plan(root, name)
    result = chosen(studies.find(root, plan), place)
    wanted = candidate or f"{plan.base.name}-best"
    values = read_yaml(root / PARAMETERS)
    _check_name(wanted, values)
    text = (root / PARAMETERS).read_bytes().decode("utf-8")
    comment = f"trial {result.place} of the search {plan.name}: validation {SPOKEN[plan.search.objective]}"
    comment += f" {result.score:.4f}"
    encoder, fresh = _encoder(plan, result, wanted, values)
    if fresh is not None:
        text = insert(text, ("encode", "encoders"), encoder, fresh, comment)
    own, _ = apart(result.values)
    entry = values["train"]["candidates"][plan.base.name]
    for path, value in own.items():
        entry = replaced(entry, path, value)
    text = insert(text, ("train", "candidates"), wanted, {**entry, "encoder": encoder}, comment)
    write_text(root / PARAMETERS, text)
    say(f"{PARAMETERS}: train.candidates.{wanted} is {comment}")
    if fresh is not None:
        say(f"{PARAMETERS}: encode.encoders.{encoder} is its encoder")
    say("next: dvc repro trains it, and compares it with the others")
    return wanted


def _check_name(name: str, values: Any) -> None:
    if not NAME.fullmatch(name):
        raise SettingsError(f"{name!r} is no name", "use lower-case letters, digits, - and _, a letter first")
    for path in (("train", "candidates"), ("encode", "encoders"), ("blend", "candidates")):
        if name in ((values.get(path[0]) or {}).get(path[1]) or {}):
            raise SettingsError(f"there is {'.'.join(path)}.{name} already", "give another name with --as")


def _encoder(plan: Plan, result: Result, wanted: str, values: Any) -> tuple[str, dict[str, Any] | None]:
    """The name of a trial's encoder, and its entry when ``params.yaml`` has none that does the same."""
    made = setting(plan.base, result.values)
    for name, options in plan.base.encoders.items():
        if options == made.encoder:
            return name, None
    entry = values["encode"]["encoders"][made.candidate.encoder]
    for path, value in result.values.items():
        if path.startswith(ENCODER):
            entry = replaced(entry, path.removeprefix(ENCODER), value)
    return wanted, entry
