"""Clean the text, and leave out what stands in an evaluation set: listed and counted."""

from __future__ import annotations

from pathlib import Path

from pretraining.texts import Params


def run(params: Params, *, versions: Path, lines: Path, left_out: Path, report: Path) -> None:
    """Write the text that may be learnt from.

    Args:
        params: the section ``texts``.
        versions: what the stage `texts` wrote, by which this runs again when a file changes.
        lines: the text, a paragraph a line.
        left_out: a table of the lines that stand in an evaluation set.
        report: JSON: what became of the lines of each file.
    """
    from wenhuo.files import write_json
    from wenhuo.releasing.holding_out import hold_out

    write_json(report, hold_out(params.files, params.evaluation, params.shortest, lines, left_out))
