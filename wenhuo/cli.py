"""The command ``wenhuo``: use the models that the graph made, and look at its results.

``wenhuo inspect SOURCE`` says whether a data set is sound; ``wenhuo predict "房间很干净"`` classifies;
``wenhuo explain "房间很干净"`` says why; ``wenhuo compare A B`` says how two models differ;
``wenhuo history`` says which version served when, ``wenhuo rollback`` makes the previous one champion again;
``wenhuo summary`` says what the last run of the graph made; ``wenhuo review`` is for the rows whose label may be wrong;
``wenhuo search run`` looks for better parameters of a candidate.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wenhuo.commands.card import card
from wenhuo.commands.compare import compare
from wenhuo.commands.explain import explain
from wenhuo.commands.search import search
from wenhuo.commands.trace import restore, trace
from wenhuo.commands.versions import history, promote, rollback
from wenhuo.errors import WenhuoError

app = typer.Typer(
    name="wenhuo",
    help="Labelled text in, a classifier out. 文火",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(search, name="search")


class Format(StrEnum):
    """How predictions are written."""

    auto = "auto"
    table = "table"
    jsonl = "jsonl"


@app.callback()
def _options(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        from wenhuo import __version__

        typer.echo(f"wenhuo {__version__}")
        raise typer.Exit


class Severity(StrEnum):
    """From which findings on ``inspect`` fails."""

    never = "never"
    bad = "bad"
    warning = "warning"


@app.command()
def inspect(
    source: Annotated[
        list[str],
        typer.Argument(help="A file, a glob, a folder, a URL or hf://owner/name[@revision]; several are read as one."),
    ],
    text: Annotated[str | None, typer.Option(help="The text column, where it is not obvious.")] = None,
    label: Annotated[str | None, typer.Option(help="The label column, where it is not obvious.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Names of the columns of files without a header, separated by commas.")
    ] = None,
    label_names: Annotated[
        str | None, typer.Option(help="A file with the names of labels 0, 1, 2 …, one a line.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write; by default inspection-NAME.")
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, help="Rows of each kind shown on the page; 0 shows no text at all.")
    ] = 20,
    model: Annotated[
        bool, typer.Option(help="Train a linear model to find wrong labels and what leaks are worth.")
    ] = True,
    fail_on: Annotated[
        Severity, typer.Option(help="Exit with code 1 when there are findings of this kind or worse.")
    ] = Severity.never,
) -> None:
    """Say whether a data set is sound: leaks, copies, contradictions, labels that look wrong. Needs no project."""
    from wenhuo.inspection.terminal import inspect_sources

    described = {"text": text, "label": label, "label_names": label_names, "columns": columns and columns.split(",")}
    worst = inspect_sources(source, described, output, shown=examples, model=model)
    if fail_on is not Severity.never and worst in {"bad", fail_on.value}:
        raise typer.Exit(1)


@app.command()
def predict(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Texts to classify; none: one a line from standard input.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model folder, or models:/name@alias; by default the champion of the last run.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Read texts from a file: one a line, or JSON lines with a field 'text'."),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="auto: a table in a terminal, JSON lines elsewhere.")
    ] = Format.auto,
) -> None:
    """Classify texts with the champion, or with another model."""
    from wenhuo import serving

    given = serving.read_texts(texts, file)
    results = serving.classify(given, model)
    if output is Format.table or (output is Format.auto and sys.stdout.isatty()):
        serving.print_table(results)
    else:
        serving.print_lines(results)


app.command()(explain)
app.command()(trace)
app.command()(restore)
app.command()(history)
app.command()(rollback)
app.command()(promote)
app.command()(card)


@app.command()
def summary(
    root: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Say what the last run of the graph made: rows, candidates, the winner, what to open and do next."""
    from wenhuo.summary import print_summary

    print_summary(root)


app.command()(compare)


@app.command()
def review(
    file: Annotated[
        Path | None, typer.Argument(help="A review file with decisions, to read back; none: write one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; by default reports/review.csv of the project.")
    ] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Write only so many suspects, the most suspect ones.")] = None,
    split: Annotated[str | None, typer.Option(help="Only those of train, validation or test.")] = None,
    decided: Annotated[bool, typer.Option("--all", help="Also rows about which somebody has decided.")] = False,
    root: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Write rows whose label may be wrong as a table for a spreadsheet; or read a person's decisions back from it."""
    from wenhuo import reviewing

    if file is None:
        reviewing.write(root, output or root / "reports/review.csv", split=split, top=top, decided=decided)
    else:
        reviewing.read_back(root, file)


@app.command()
def accept(
    root: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Let a data version go on that differs from the one before it (reports/drift.html says how)."""
    from wenhuo.validation.versions import accept

    corpus = accept(root / "reports")
    typer.echo(f"accepted the corpus {corpus[:12]}; run the graph again to go on")


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 5000,
    host: Annotated[
        str, typer.Option(help="The address to listen on; others than this machine's own let anyone in.")
    ] = "127.0.0.1",
    root: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Browse runs, curves, pictures and the registry in MLflow's own pages, served light."""
    from wenhuo.tracking.pages import serve

    serve(root, host, port)


def main() -> None:
    """Run the command; a mistake of the user's is one or two lines and exit code 1, wrong usage is exit code 2."""
    try:
        app()
    except WenhuoError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        sys.stderr.close()
        sys.exit(0)
