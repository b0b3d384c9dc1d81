"""``wenhuo compare A B``: two models on the same rows, and the texts that change sides."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer


def compare(
    old: Annotated[
        str, typer.Argument(help="A candidate, a folder, a version (name/3, name@alias, 3), champion, or a run's id.")
    ],
    new: Annotated[str, typer.Argument(help="The one to compare it with, named likewise.")],
    split: Annotated[list[str] | None, typer.Option(help="validation or test; by default both.")] = None,
    examples: Annotated[
        int, typer.Option(min=0, help="Texts shown of each way of changing sides; 0 shows no text at all.")
    ] = 10,
    bootstrap: Annotated[int, typer.Option(min=100, help="Resamples behind each interval.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 13,
    html: Annotated[Path, typer.Option(help="The page to write.")] = Path("reports/comparison.html"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure two models on the same rows: figures, their difference, and which texts change sides."""
    from wenhuo.comparing.compare import as_dict
    from wenhuo.comparing.compare import compare as compared
    from wenhuo.comparing.page import render_comparison
    from wenhuo.files import write_text

    with redirect_stdout(sys.stderr):  # progress must not mingle with JSON
        found = compared(old, new, split or (), examples=examples, bootstrap=bootstrap, seed=seed)
    write_text(html, render_comparison(found))
    if as_json:
        import orjson

        sys.stdout.buffer.write(orjson.dumps(as_dict(found), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    from wenhuo.comparing.terminal import print_comparison

    print_comparison(found)
    typer.echo(f"\n→ {html}")
