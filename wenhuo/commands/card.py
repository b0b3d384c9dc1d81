"""``wenhuo card``: the model card of a registered version, made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def card(
    version: Annotated[
        int | None, typer.Argument(min=1, help="The version's number; by default that of the champion.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The registered model; by default that of the last run.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file as well.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
    root: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Make the card of a version again: reports/cards/NAME-VERSION.md and .html, and in MLflow."""
    from wenhuo.cards.command import card

    card(root, version, model, html, machine=json)
