"""Classify what a person gives on the command line, in a file or on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

import orjson

from wenhuo.errors import DataError, ModelError
from wenhuo.files import read_json
from wenhuo.models.classifier import Classifier, Prediction

AT_ONCE = 1024
WINNER = Path("reports/winner.json")
CHAMPION = "champion"

Result = tuple[str, Prediction]


def read_texts(texts: list[str] | None, file: Path | None) -> Iterator[str]:
    """Texts from the arguments, a file, or standard input, as they are needed.

    Raises:
        DataError: the file is missing, is not UTF-8, or a JSON line has no text.
    """
    if texts:
        yield from texts
        if file is None:
            return
    if file is None:
        yield from _lines(sys.stdin, "standard input")
        return
    try:
        with file.open(encoding="utf-8-sig", newline="\n") as opened:
            yield from _lines(opened, str(file))
    except FileNotFoundError:
        raise DataError(f"{file} does not exist", "name a file of texts, one a line") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 ({error.reason} at byte {error.start})", "convert it first") from None


def _lines(opened: TextIO, where: str) -> Iterator[str]:
    for number, line in enumerate(opened, start=1):
        text = line.rstrip("\r\n")
        yield _text_of_json(text, f"{where}, line {number}") if text.startswith("{") else text


def _text_of_json(line: str, where: str) -> str:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line  # a text that happens to begin with a brace
    text = value.get("text")
    if not isinstance(text, str):
        raise DataError(f"{where}: the JSON object has no field 'text'", 'write lines such as {"text": "…"}')
    return text


def classify(texts: Iterable[str], model: str | None) -> Iterator[Result]:
    """Each text with its prediction, by the given model or the champion of the last run."""
    classifier = Classifier.load(model or champion_address())
    given = iter(texts)
    while chunk := list(islice(given, AT_ONCE)):
        yield from zip(chunk, classifier.predict(chunk), strict=True)


def champion_address() -> str:
    """The address of the champion of the model that the last run registered.

    Raises:
        ModelError: nothing has been registered here.
    """
    return f"models:/{registered_model()}@{CHAMPION}"


def registered_model() -> str:
    """The name of the model that the last run registered.

    Raises:
        ModelError: nothing has been registered here.
    """
    if not WINNER.exists():
        raise ModelError("there is no champion here yet", "run `make run` first, or name a model with --model")
    return str(read_json(WINNER)["registered_model"])


def print_lines(results: Iterable[Result]) -> None:
    """Write one JSON object a line: text, label (null where the model abstains), probability, probabilities, best."""
    for text, found in results:
        row = {
            "text": text,
            "label": found.label,
            "probability": found.probability,
            "probabilities": found.probabilities,
            "best": found.best,
        }
        sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def print_table(results: Iterable[Result]) -> None:
    """Print a table for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("text", "label", "probability", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for text, found in results:
        shown = text if len(text) <= 80 else f"{text[:79]}…"
        label = Text(found.label) if found.label is not None else Text(f"none ({found.best}?)", "dim")
        table.add_row(Text(shown), label, f"{found.probability:.3f}")  # Text: no markup in what users wrote
    Console().print(table)
