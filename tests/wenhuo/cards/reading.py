"""Read a card back as a reader would: tables out of Markdown, figures out of HTML."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

FIGURE = re.compile(r"^(−?[\d,]+(?:\.\d+)?)(?: \((−?[\d.]+) to (−?[\d.]+)\))?$")


def markdown_tables(text: str) -> dict[str, list[tuple[str, list[dict[str, str]]]]]:
    """Heading to its tables: the line before each, and its rows by the names of the columns."""
    found: dict[str, list[tuple[str, list[dict[str, str]]]]] = {}
    heading, before, columns = "", "", []
    for line in text.split("\n"):
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("| "):
            cells = [html.unescape(re.sub(r"\\(.)", r"\1", one)).strip() for one in line.strip("|").split("|")]
            if not columns:
                columns = cells
                found.setdefault(heading, []).append((before, []))
            elif not set(cells) <= {"---", "---:"}:
                assert len(cells) == len(columns), line
                found[heading][-1][1].append(dict(zip(columns, cells, strict=True)))
            continue
        elif line:
            before = line
        columns = []
    return found


class Figures(HTMLParser):
    """Every element with a place in metrics.json, and what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.tags: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self._inside = "data-figure" in values
        if self._inside:
            self.found.append(values | {"text": ""})

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1]["text"] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False


def page_figures(page: str) -> list[dict[str, Any]]:
    reader = Figures()
    reader.feed(page)
    return reader.found


def value_at(summary: Any, path: str) -> Any:
    """What stands at a place of metrics.json; a part of the path may itself hold a slash."""
    if not path:
        return summary
    if isinstance(summary, list):
        place, _, rest = path.partition("/")
        return value_at(summary[int(place)], rest)
    key = max((key for key in summary if path == key or path.startswith(f"{key}/")), key=len)
    return value_at(summary[key], path.removeprefix(key).removeprefix("/"))


def shows(text: str, value: float | None, interval: list[float] | None = None) -> bool:
    """Whether a cell shows a value to its last digit, and the interval beside it."""
    if value is None:
        return text == "–"
    found = FIGURE.match(text)
    assert found, text
    digits = 0 if isinstance(value, int) else 4
    same = float(found[1].replace(",", "").replace("−", "-")) == round(value, digits)
    ends = [float(end.replace("−", "-")) for end in found.groups()[1:] if end is not None]
    return same and ends == [round(end, 3) for end in interval or ()]
