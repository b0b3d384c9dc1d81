"""What a card says, apart from how it looks: parts of sentences, tables and code, shown as Markdown and as a page.

Sentences are plain text in which backticks enclose code. What comes from outside (labels, sources, texts) goes through
:func:`plain` or :func:`code` before it stands in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wenhuo.pages.wording import percent

NOTHING = Markup()


@dataclass(frozen=True)
class Figure:
    """A number of ``metrics.json``.

    Attributes:
        path: where it stands there, keys joined by ``/``; parts of a key that hold a slash are no trouble, since it is
            only compared.
        value: None where it is not defined.
        interval: its 95 % interval.
    """

    path: str
    value: float | int | None
    interval: Sequence[float] | None = None

    @property
    def text(self) -> str:
        """For people: four digits after the point, three of the interval's ends; counts with their thousands."""
        if self.value is None:
            return "–"
        shown = f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:.4f}".replace("-", "−")
        if not self.interval:
            return shown
        low, high = (f"{end:.3f}".replace("-", "−") for end in self.interval)
        return f"{shown} ({low} to {high})"


Cell = str | int | Figure


@dataclass(frozen=True)
class Table:
    """Columns and rows; the first cell of a row names it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True)
class Code:
    """Something to run; ``about`` says what it is, in a few words."""

    about: str
    language: str
    text: str


@dataclass(frozen=True)
class Part:
    """A part of the card.

    Attributes:
        anchor: its name in links.
        title: its heading.
        said: paragraphs.
        points: a list below them.
        tables: below that.
        codes: below those.
        drawn: pictures, below the paragraphs of the page; Markdown has none.
        instead: a section of the page that stands in place of all the above.
        loud: the first paragraph is a warning.
    """

    anchor: str
    title: str
    said: Sequence[str] = ()
    points: Sequence[str] = ()
    tables: Sequence[Table] = ()
    codes: Sequence[Code] = ()
    drawn: Markup = NOTHING
    instead: Markup = NOTHING
    loud: bool = False

    @property
    def silent(self) -> bool:
        """Whether it says nothing in words, or nothing but what its pictures are."""
        told = self.points or self.tables or self.codes
        return not (told or (self.said and not self.drawn))


def plain(text: object) -> str:
    """A text from outside, on one line and without what marks code."""
    return " ".join(str(text).replace("`", "'").split())


def code(text: object) -> str:
    """A text from outside as code."""
    return f"`{plain(text)}`"


def cell(text: object) -> str:
    """A text from outside in a cell of a table; an empty one is a dash."""
    return plain(text) or "–"


def share(value: float | None) -> str:
    """A share in per cent, with its percent sign apart from nothing."""
    return "–" if value is None else percent(value)
