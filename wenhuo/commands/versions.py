"""``wenhuo history``, ``wenhuo rollback`` and ``wenhuo promote``: which version is champion, was, and is to be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[Path, typer.Option(help="The project's folder.")]
Model = Annotated[str | None, typer.Option(help="The registered model; by default that of the last run.")]


def history(
    every: Annotated[
        bool, typer.Option("--all", help="Every decision, also about versions that never served.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    model: Model = None,
    root: Root = Path(),
) -> None:
    """Say which version was champion when, and who decided that and why."""
    from wenhuo.history import history

    history(root, model, every=every, machine=json)


def rollback(
    to: Annotated[
        int | None, typer.Option(min=1, help="The version to go back to; by default the champion before this one.")
    ] = None,
    why: Annotated[str | None, typer.Option(help="The reason that is written down.")] = None,
    model: Model = None,
    root: Root = Path(),
) -> None:
    """Make the previous champion champion again, once it was found whole and says what it said."""
    from wenhuo.versions import rollback

    rollback(root, to, why, model)


def promote(
    version: Annotated[int, typer.Argument(min=1, help="The version's number.")],
    why: Annotated[str, typer.Option(help="The reason that is written down.")],
    model: Model = None,
    root: Root = Path(),
) -> None:
    """Make a version champion by hand, whatever the gate said of it."""
    from wenhuo.versions import promote

    promote(root, version, why, model)
