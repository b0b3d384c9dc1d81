"""``wenhuo rollback`` and ``wenhuo promote``: a person says which version is champion.

A version that is to serve again must be whole: every file as it was when it was registered, and the same answers to its
probe sentences. Who moved the champion, when and why goes into ``reports/decisions.jsonl`` and onto the versions.
"""

from __future__ import annotations

import getpass
from dataclasses import replace
from pathlib import Path
from typing import Any

from wenhuo.console import say
from wenhuo.errors import ModelError, TrackingError
from wenhuo.files import read_json
from wenhuo.gate import decisions
from wenhuo.gate.checks import Check
from wenhuo.gate.decisions import Chain, Decision
from wenhuo.lineage import PREFIX, git_user

REPORTS = Path("reports")


def rollback(root: Path, to: int | None, why: str | None, model: str | None) -> None:
    """Make an earlier champion champion again.

    Args:
        root: the project's folder.
        to: its number; None for the champion before the present one.
        why: the reason that is written down.
        model: the registered model; None for that of the last run.

    Raises:
        ModelError: there is no such version, it never served, or it is no longer what it was.
        TrackingError: MLflow does not answer, or somebody else moved the champion meanwhile.
    """
    from wenhuo.tracking import promotion, registry, store

    name, reports, client = model_of(root, model), root / REPORTS, store.connect(root)
    now = promotion.reconcile(client, reports, name)
    chain = decisions.read(reports)
    number = _previous(chain, name, now) if to is None else to
    if number == now:
        raise ModelError(f"version {number} of {name} is the champion already", "`wenhuo history` shows the others")
    version = registry.version_numbered(client, name, number)
    if number not in {decision.champion for decision in chain.serving(name)}:
        what = f"version {number} of {name} has never been champion"
        raise ModelError(what, f"`wenhuo promote {number} --why …` makes it so")
    by, left = person(root), f"from version {now}" if now else "to a champion"
    ruling = _ruling(chain, version, now, f"{by} went back {left}" + (f": {why}" if why else ""), by, why)
    _settle(root, ruling, "rolled back")
    say(f"rollback: version {number} of {name} is champion again" + (f", instead of version {now}" if now else ""))


def promote(root: Path, number: int, why: str, model: str | None) -> None:
    """Make a version champion, whatever the gate said of it.

    Args:
        root: the project's folder.
        number: the version's.
        why: the reason that is written down.
        model: the registered model; None for that of the last run.

    Raises:
        ModelError: there is no such version, or it is no longer what it was.
        TrackingError: MLflow does not answer, or somebody else moved the champion meanwhile.
    """
    from wenhuo.tracking import promotion, registry, store

    name, reports, client = model_of(root, model), root / REPORTS, store.connect(root)
    now = promotion.reconcile(client, reports, name)
    if number == now:
        raise ModelError(f"version {number} of {name} is the champion already", "`wenhuo history` shows the others")
    version, by = registry.version_numbered(client, name, number), person(root)
    ruling = _ruling(decisions.read(reports), version, now, f"{by} promoted it: {why}", by, why)
    _settle(root, ruling, "promoted")
    say(f"promote: version {number} of {name} is champion" + (f", instead of version {now}" if now else ""))
    for check in ruling.checks:
        if not check.passed:
            say(f"promote: warning: the gate said: {check.reason}")


def person(root: Path) -> str:
    """Who is at the keyboard: git's user, or the name of the login."""
    try:
        return git_user(root) or getpass.getuser()
    except (OSError, KeyError):  # a container without users
        return "unknown"


def _previous(chain: Chain, model: str, now: int | None) -> int:
    if chain.broken:
        hint = "look at reports/decisions.jsonl, and name the version with --to"
        raise ModelError(f"which version served before cannot be trusted: {chain.broken[0]}", hint)
    before = [number for number in chain.stack(model) if number != now]
    if not before:
        raise ModelError(f"{model} has no champion before this one to go back to", "`wenhuo history --all` shows all")
    return before[-1]


def _ruling(chain: Chain, version: Any, now: int | None, reason: str, by: str, why: str | None) -> Any:
    """A person's decision, with the checks that the gate made when it last decided about the version."""
    from wenhuo.tracking.promotion import Ruling

    about = [decision for decision in chain.of(version.name) if decision.version == version.number and decision.checks]
    last = about[-1] if about else None
    checks = tuple(Check(**check) for check in last.checks) if last else ()
    test_set = version.tags.get(f"{PREFIX}test_set_sha256")
    candidate = version.tags.get(f"{PREFIX}candidate")
    return Ruling("challenger", reason, version, now, candidate, version.key, test_set, checks, by, why)


def _settle(root: Path, ruling: Any, verdict: str) -> Decision:
    """Verify that the version is whole, and move the champion."""
    from wenhuo.tracking import promotion, registration, store

    version = ruling.version
    if not registration.check_whole(version, root):
        say(
            f"warning: version {version.number} has no passport of what it was; it loads, and that is all that is known"
        )
    made = promotion.settle(store.connect(root), root / REPORTS, version.name, replace(ruling, verdict=verdict))
    if made.verdict != verdict:
        raise TrackingError(f"version {version.number} was not made champion: {made.reason}", "`wenhuo history`")
    return made


def model_of(root: Path, model: str | None) -> str:
    """The registered model that is meant."""
    if model is not None:
        return model
    winner = root / REPORTS / "winner.json"
    if winner.exists():
        return str(read_json(winner)["registered_model"])
    names = sorted({decision.model for decision in decisions.read(root / REPORTS).decisions})
    if len(names) == 1:
        return names[0]
    raise ModelError("no model is registered here yet", "run `make run` first, or name one with --model")
