"""``wenhuo search``: run a search, show what it found, add the best to ``params.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

search = typer.Typer(
    help="Look for better parameters of a candidate; search.yaml says where.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str | None, typer.Argument(help="A search of search.yaml; needed where it declares several.")]
Root = Annotated[Path, typer.Option(help="The project's folder.")]
STOPPED = 130


@search.command()
def run(
    name: Name = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Trials in all, with those of before.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes side by side, which share the cores.")] = 1,
    root: Root = Path(),
) -> None:
    """Try parameters, or go on trying: a search that was stopped or killed continues."""
    from wenhuo.search import running

    if not running.run(root, name, trials, workers):
        raise typer.Exit(STOPPED)


@search.command()
def show(name: Name = None, root: Root = Path()) -> None:
    """Say what a search has found so far."""
    from wenhuo.search import showing

    showing.show(root, name)


@search.command()
def add(
    name: Name = None,
    candidate: Annotated[
        str | None, typer.Option("--as", help="The new candidate's name; by default the searched one's and -best.")
    ] = None,
    trial: Annotated[int | None, typer.Option(min=1, help="Another trial than the best.")] = None,
    root: Root = Path(),
) -> None:
    """Write the best trial into params.yaml as a candidate, which `dvc repro` then trains and compares."""
    from wenhuo.search import adding

    adding.add(root, name, candidate, trial)


@search.command(hidden=True)
def work(
    name: str,
    trials: Annotated[int, typer.Option()],
    study: Annotated[str, typer.Option()],
    run: Annotated[str, typer.Option()] = "",
) -> None:
    """Be one of the processes that `search run` starts in the project's folder."""
    from wenhuo.search import working

    if not working.work_for(name, trials, study, run):
        raise typer.Exit(STOPPED)
