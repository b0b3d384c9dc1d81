"""What ``wenhuo compare`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wenhuo.comparing.comparison import TURNS, Comparison, Line, Said, Split
from wenhuo.metrics.paired import Difference
from wenhuo.metrics.summary import spoken
from wenhuo.pages.wording import excerpt, plural

FIGURES = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "calibration_error": "calibration",
}
MOST_CLASSES = 30  # lines of a table; of more classes those that differ most


def print_comparison(found: Comparison) -> None:
    """The figures of both, what differs, and which texts change sides."""
    console = Console(highlight=False)
    for split in found.splits:
        console.print()
        console.print(Text.assemble((split.name, "bold"), f": {plural(split.rows, 'row')}"))
        for part in (_figures(found, split), Text(), Text(verdict(found, split)), Text()):
            console.print(part)
        for table in _parts(found, split):
            console.print(table)
            console.print()
        console.print(Text(turned(split)))
        for table in _examples(found, split):
            console.print()
            console.print(table)
    if found.notes:
        console.print()
    for note in found.notes:
        console.print(Text(note, "dim"))


def _figures(found: Comparison, split: Split) -> Table:
    table = _table("", found.old, found.new, "difference")
    for name, title in FIGURES.items():
        difference = split.differences.get(name)
        cells = [spoken(one, name) for one in (split.old, split.new)]
        table.add_row(title, *cells, "" if difference is None else shown(difference))
    return table


def shown(figure: Difference) -> str:
    """A difference with its interval."""
    spread = f" [{figure.interval[0]:+.3f}, {figure.interval[1]:+.3f}]" if figure.interval else ""
    return f"{figure.difference:+.3f}{spread}"


def verdict(found: Comparison, split: Split) -> str:
    """Do they differ by more than chance? One or two sentences."""
    figure, test = split.differences["macro_f1"], split.test
    if figure.interval is None or figure.interval[0] <= 0 <= figure.interval[1]:
        said = "The difference in macro-F1 may be chance."
    else:
        said = f"{found.new if figure.difference > 0 else found.old} has the higher macro-F1, by more than chance."
    return (
        f"{said} McNemar: {found.new} alone has {plural(test.only_first, 'row')} right, {found.old} alone "
        f"{test.only_second:,}; p = {test.p_value:.2g}."
    )


def turned(split: Split) -> str:
    """How many rows change sides."""
    counts = ", ".join(f"{split.turned[turn]:,} {words}" for turn, words in TURNS.items())
    return f"Changed sides: {counts}; on {split.same:,} of {plural(split.rows, 'row')} both say the same."


def _parts(found: Comparison, split: Split) -> list[Table]:
    """Tables by class and by slice."""
    tables = [_lines(f"{plural(len(split.classes), 'class', 'classes')}, F1", found, most_different(split.classes))]
    return [*tables, _lines("accuracy of", found, split.slices)] if split.slices else tables


def most_different(lines: Sequence[Line]) -> Sequence[Line]:
    """All lines of few; of many those that differ most."""
    if len(lines) <= MOST_CLASSES:
        return lines
    return sorted(lines, key=lambda line: -abs(line.figure.difference))[:MOST_CLASSES]


def _lines(title: str, found: Comparison, lines: Sequence[Line]) -> Table:
    table = _table(title, "rows", found.old, found.new, "difference")
    for line in lines:
        figure = line.figure
        table.add_row(Text(line.name), f"{line.rows:,}", f"{figure.second:.3f}", f"{figure.first:.3f}", shown(figure))
    return table


def _examples(found: Comparison, split: Split) -> list[Table]:
    tables = []
    for turn, rows in split.examples.items():
        if rows:
            tables.append(_sentences(f"{TURNS[turn]} ({len(rows)} of {split.turned[turn]:,})", found, rows))
    return tables


def _sentences(title: str, found: Comparison, rows: Sequence[Said]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in (title, "label", found.old, found.new):
        table.add_column(Text(column))
    for row in rows:
        text = Text(excerpt(row.text)).append(f"  {row.id[:12]}", "dim")
        said = (f"{row.old} {row.old_probability:.2f}", f"{row.new} {row.new_probability:.2f}")
        table.add_row(text, Text(row.label), *map(Text, said))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if place else "left")  # Text: names are no markup
    return table
