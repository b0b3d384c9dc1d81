"""``wenhuo card``: make the card of a version again, from what the graph, git and the gate left of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import orjson

from wenhuo.cards.making import MadeCard
from wenhuo.cards.parts import parts
from wenhuo.console import say
from wenhuo.errors import ModelError
from wenhuo.files import write_text
from wenhuo.keeping import is_empty
from wenhuo.versions import model_of


def card(root: Path, number: int | None, model: str | None, html: Path | None, *, machine: bool) -> None:
    """Make a card, write its files, and give it to the version in MLflow.

    Args:
        root: the project's folder.
        number: the version's; None for the champion's.
        model: the registered model; None for that of the last run.
        html: a file for the page, besides.
        machine: print the card as JSON instead of where it is.

    Raises:
        ModelError: there is no such version.
        DataError: what the card is made of is gone.
        TrackingError: MLflow does not answer.
    """
    with redirect_stdout(sys.stderr):
        made, paths, fresh = _make(root, model_of(root, model), number)
    if html is not None:
        write_text(html, made.page)
        paths = [*paths, html]
    if machine:
        print(orjson.dumps(told(made), option=orjson.OPT_INDENT_2).decode())
        return
    for path in paths:
        say(f"card: {path}")
    say("card: MLflow shows it at the version" + ("" if fresh else ", as before"))


def _make(root: Path, name: str, number: int | None) -> tuple[MadeCard, list[Path], bool]:
    from wenhuo.cards.making import CARDS
    from wenhuo.tracing.cards import card_of
    from wenhuo.tracking import cards, registry, store

    client = store.connect(root)
    version = registry.champion(client, name) if number is None else registry.version_numbered(client, name, number)
    if version is None:
        named = "`wenhuo history --all` shows the versions there are"
        raise ModelError(f"{name} has no champion", "run `wenhuo restore` first" if is_empty(root) else named)
    made = card_of(root, version)
    return made, [root / CARDS / file for file in made.files], cards.publish(client, version, made)


def told(made: MadeCard) -> dict[str, Any]:
    """The card for machines; a figure is its place in ``metrics.json``, its value and its interval."""
    subject = made.material.subject
    shown = ("anchor", "title", "said", "points", "tables", "codes")
    every = [{name: _plain(getattr(part, name)) for name in shown} for part in parts(made.material) if not part.silent]
    about = {"model": subject.model, "version": subject.number, "candidate": subject.candidate, "key": subject.key}
    return {**about, "parts": every}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(inner) for name, inner in asdict(value).items()}
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
