"""Corrections applied to the rows of a ledger: labels change, rows are taken out.

A decision holds for every row with the text (as read, white space aside) and the given label of the row that it names,
whatever its split: who corrects one copy means the text.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.errors import DataError
from wenhuo.sifting.corrections import Correction
from wenhuo.sifting.duplicates import found
from wenhuo.sifting.ledger import Ledger

REASON = "taken out by a correction"
NAMED = 100
"""Unknown ids that the report names; the rest is counted."""


@dataclass(frozen=True)
class Corrected:
    """What corrections come to.

    Attributes:
        rows: those of the ledger that are left, with corrected labels.
        labels: names of the labels by their numbers.
        taken: ``id``, ``reason`` and ``of`` of those taken out.
        figures: what the report says.
    """

    rows: pl.DataFrame
    labels: list[str]
    taken: pl.DataFrame
    figures: dict[str, Any]


def correct(ledger: Ledger, corrections: Sequence[Correction], path: Path, order: Sequence[str] = ()) -> Corrected:
    """Apply corrections to a ledger.

    Args:
        ledger: of the corpus, with the places of the rows that the corrections name.
        corrections: the decisions.
        path: the file they stand in, for messages.
        order: labels that the corpus declares, which need not occur.

    Raises:
        DataError: a decision names a label that the corpus does not know, another given label than its row's, or
            contradicts one about another copy of the text.
    """
    labels = [*ledger.labels, *(label for label in order if label not in ledger.labels)]
    known = [one for one in corrections if one.id in ledger.named]
    unknown = sorted({one.id for one in corrections}.difference(ledger.named))
    decided = _decided(ledger, known, labels, path).rename({"id": "of"})
    rows = ledger.rows.join(decided, on=["as_read", "label"], how="left", maintain_order="left")
    out, moved = rows.filter("out"), rows.filter(pl.col("to") != pl.col("label"))
    figures = {
        "applied": moved.height + out.height,
        "relabelled": moved.height,
        "taken_out": out.height,
        "changes": _changes(pl.concat([moved, out]), labels),
        "unknown": len(unknown),
        "unknown_ids": unknown[:NAMED],
    }
    taken = found(out.with_columns(pl.when(pl.col("of") != pl.col("id")).then("of").alias("of")), REASON)
    left = rows.filter(~pl.col("out").fill_null(value=False)).with_columns(pl.coalesce("to", "label").alias("label"))
    return Corrected(left.drop("to", "out", "of"), labels, taken, figures)


def _decided(ledger: Ledger, corrections: Sequence[Correction], labels: Sequence[str], path: Path) -> pl.DataFrame:
    """One row for each text and given label that is decided about: ``as_read``, ``label``, ``to``, ``out``, ``id``."""
    numbers = {label: number for number, label in enumerate(labels)}
    lines = [
        (ledger.named[one.id], one.line, one.given, _number(one, numbers, path), not one.label) for one in corrections
    ]
    kinds = {"place": pl.UInt32, "line": pl.Int64, "given": pl.String, "to": pl.UInt32, "out": pl.Boolean}
    named = pl.DataFrame(lines, schema=kinds, orient="row").join(
        ledger.rows.select("place", "id", "label", "as_read"), on="place", maintain_order="left"
    )
    for line, given, label in named.select("line", "given", "label").iter_rows():
        borne = None if label is None else labels[label]
        if borne != given:
            raise DataError(
                f"{path}, line {line}: the row bears the label {borne}, not {given}", "copy id and given from one row"
            )
    _check_agreement(named, path)
    once = named.unique(["as_read", "label"], keep="first", maintain_order=True)
    return once.select("as_read", "label", "to", "out", "id")


def _number(one: Correction, numbers: dict[str, int], path: Path) -> int | None:
    if one.label and one.label not in numbers:
        close = difflib.get_close_matches(one.label, numbers, n=1)
        raise DataError(
            f"{path}, line {one.line}: no row of the corpus bears the label {one.label}",
            f"did you mean {close[0]}?" if close else f"the labels are {', '.join(list(numbers)[:10])}",
        )
    return numbers.get(one.label)


def _check_agreement(named: pl.DataFrame, path: Path) -> None:
    """Refuse decisions about copies of one text that do not go together."""
    grouped = named.group_by("as_read", "label", maintain_order=True).agg(
        pl.struct("to", "out").n_unique().alias("decisions"), pl.col("line").sort()
    )
    for lines in grouped.filter(pl.col("decisions") > 1)["line"]:
        raise DataError(
            f"{path}, lines {', '.join(map(str, lines))}: copies of a text with one given label are decided otherwise",
            "leave one of the lines: it holds for all copies",
        )


def _changes(rows: pl.DataFrame, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Rows by given and new label; the new one is empty for those taken out."""
    counted = rows.group_by("label", "to").len().sort("label", "to", nulls_last=True)
    return [
        {"given": labels[given], "label": "" if to is None else labels[to], "rows": count}
        for given, to, count in counted.iter_rows()
    ]
