"""``wenhuo explain "文本"``: which characters moved the decision, and which train rows are like the text."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer


def explain(
    text: Annotated[str, typer.Argument(help="The text whose classification is to be explained.")],
    model: Annotated[
        str | None,
        typer.Option(
            help="A candidate, a folder, a version (name/3, name@alias) or a run's id; by default the champion."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Explain this label instead of the predicted one.")] = None,
    neighbours: Annotated[int, typer.Option(min=0, help="Nearest train rows to show; 0 looks for none.")] = 5,
    among: Annotated[
        int | None,
        typer.Option(min=0, help="Train rows to look at; 0: all. By default 50,000, for a transformer 2,000."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which characters moved a decision, and which train rows are like the text."""
    from wenhuo.explaining.explain import explain as explained

    with redirect_stdout(sys.stderr):  # progress must not mingle with JSON
        found = explained(text, model, label=label, neighbours=neighbours, among=among)
    if html is not None:
        from wenhuo.explaining.page import render_explanation
        from wenhuo.files import write_text

        write_text(html, render_explanation(found))
    if as_json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps(found.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    from wenhuo.explaining.terminal import print_explanation

    print_explanation(found)
    if html is not None:
        typer.echo(f"\n→ {html}")
