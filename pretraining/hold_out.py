"""Clean the text, leave out what stands in an evaluation set, and keep what is most like the texts it is for."""

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
        report: JSON: what became of the lines of each file, and which were chosen.
    """
    from wenhuo.files import write_json
    from wenhuo.releasing.choosing import choose
    from wenhuo.releasing.holding_out import hold_out

    found = hold_out(params.files, params.evaluation, params.shortest, lines, left_out)
    if params.closest is not None:
        found["chosen"] = choose(lines, params.like, params.closest)
    write_json(report, found)
