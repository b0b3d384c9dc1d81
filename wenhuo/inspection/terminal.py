"""What ``wenhuo inspect`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wenhuo.errors import SettingsError
from wenhuo.inspection.findings import Level
from wenhuo.inspection.inspect import TABLES, Inspected, inspect_source
from wenhuo.pages.wording import plural
from wenhuo.reading.options import Options, short_names

MARKS = {"bad": ("✕", "bold red"), "warning": ("!", "yellow"), "good": ("✓", "green")}


def inspect_sources(
    sources: Sequence[str], described: Mapping[str, Any], output: Path | None, *, shown: int, model: bool
) -> Level:
    """Inspect sources, print what was found, and return the level of the worst finding.

    Args:
        sources: one or several.
        described: how columns and labels are called, see :class:`wenhuo.reading.options.ColumnOptions`; None: unsaid.
        output: the folder to write; None names it after the source.
        shown: examples of each kind on the page.
        model: whether a linear model is trained.

    Raises:
        SettingsError: the sources or columns cannot be meant so.
        SourceError, DataError: see :func:`wenhuo.inspection.inspect.inspect_source`.
    """
    given = {name: value for name, value in described.items() if value is not None}
    try:
        options = Options(source=sources[0] if len(sources) == 1 else tuple(sources), **given)
    except ValidationError as error:
        raise SettingsError(error.errors()[0]["msg"].removeprefix("Value error, "), "wenhuo inspect --help") from None
    folder = output or Path(f"inspection-{short_names(sources)[0].replace('/', '-')}")
    found = inspect_source(options, folder, shown=shown, model=model)
    print_inspected(found)
    return found.findings[0].level if found.findings else "good"


def print_inspected(found: Inspected) -> None:
    """The findings, the worst first, and where to read more."""
    console = Console(soft_wrap=False, highlight=False)
    splits = ", ".join(f"{name} {count:,}" for name, count in found.rows.items() if name != "all")
    console.print()
    console.print(
        Text.assemble(
            (found.source, "bold"), f": {plural(found.rows['all'], 'row')} ({splits}), {plural(found.labels, 'label')}"
        )
    )
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(width=1)
    table.add_column(justify="right", max_width=12)
    table.add_column()
    for finding in found.findings:
        mark, style = MARKS[finding.level]
        table.add_row(Text(mark, style), Text(finding.figure, style), Text(finding.sentence))
    console.print(table)
    console.print()
    console.print(Text(f"→ {found.page}"), soft_wrap=True)
    for path, rows in found.tables.items():
        console.print(Text(f"→ {path}: {TABLES[path.stem]}, {plural(rows, 'row')}"), soft_wrap=True)
