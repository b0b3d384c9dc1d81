"""``wenhuo trace`` and ``wenhuo restore``: where things come from, and MLflow's store made again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[Path, typer.Option(help="The project's folder.")]


def trace(
    what: Annotated[
        str,
        typer.Argument(
            help="A version (name/3, champion, models:/name@champion), a run, a stage (train@mini) or a file: what it "
            "came from. A row (its id, or train.tsv:17), a hash or a commit: what came from it."
        ),
    ],
    rows: Annotated[bool, typer.Option("--rows", help="List every row, and not only how many.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every file on the way; exit with code 1 when one no longer matches.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    root: Root = Path(),
) -> None:
    """Say what a model was made of, down to the rows; or which models saw a row, a file or a commit."""
    from wenhuo.tracing.command import trace

    if not trace(root, what, listing=rows, machine=json, check=verify):
        raise typer.Exit(1)


def restore(root: Root = Path()) -> None:
    """Make runs, curves, figures, pictures, versions and aliases again in an empty or incomplete MLflow store."""
    from wenhuo.tracing.restoring import restore

    restore(root)
