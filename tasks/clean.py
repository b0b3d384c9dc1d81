"""Normalise the texts and take out what would spoil training or its measurement, by these rules in this order.

1. blank: nothing is left of a text (rows of every split);
2. stands in test: validation rows whose text stands in test, for otherwise the test set would help to choose;
3. stands in test, stands in validation: train rows whose text stands there (`leaks`);
4. contradicting labels: train rows whose text bears several labels (`contradictions`);
5. repeats an earlier row: train rows with a text and label that an earlier train row has (`duplicates`).

Undivided rows are train rows to these rules. A published test set loses nothing but its blank rows; the column `leaked`
says which rows of validation and test had a copy in train. Texts are the same when they are after normalisation, white
space aside. Every removed row is written down with the rule that took it and the row it copies. "Earlier" follows
origin, row and id, so the order of the rows in the corpus changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from wenhuo.errors import ValidationError
from wenhuo.settings import Section
from wenhuo.text.cleaning import Cleaning


class Params(Section):
    """What is normalised, and what happens to repeated texts."""

    normalise: Cleaning = Field(Cleaning(), description="The steps that every text goes through.")
    duplicates: Literal["remove", "keep"] = Field(
        "remove", description="What happens to train rows with the text and label of an earlier train row."
    )
    contradictions: Literal["drop", "majority", "keep"] = Field(
        "drop",
        description="What happens to train rows whose text has several labels: all go, those with another label than "
        "most go (all in a tie), or all stay.",
    )
    leaks: Literal["remove_from_train", "report", "fail"] = Field(
        "remove_from_train", description="What happens when texts of train stand in validation or test."
    )


def run(params: Params, *, corpus: Path, validation: Path, cleaned: Path, removed: Path, report: Path) -> None:
    """Write the cleaned rows, the removed rows and the figures.

    Raises:
        ValidationError: the corpus broke an expectation.
        DataError: train rows stand in validation or test and `leaks` is `fail`.
    """
    from wenhuo.files import read_json, write_json
    from wenhuo.quality.sifting import COLUMNS, arranged, changes, figures, normalised, sift
    from wenhuo.quality.tables import read_table, write_table

    if not read_json(validation)["success"]:
        raise ValidationError(f"{validation} says that the corpus broke an expectation", "mend the source, run again")
    read, about = read_table(corpus)
    read = arranged(read)
    rows = normalised(read, params.normalise)
    left, taken = sift(rows, repeated=params.duplicates, contradicting=params.contradictions, leaks=params.leaks)
    write_table(cleaned, left.select(*COLUMNS, "leaked"), about | {"cleaning": params.normalise.model_dump()})
    write_table(removed, read.join(taken, on="id", maintain_order="left"))
    told = figures(read, rows, left, taken) | {"changed": changes(read, rows, params.normalise)}
    write_json(report, told)
    _tell(told)


def _tell(told: dict[str, Any]) -> None:
    from wenhuo.console import say

    before, after = (sum(told["rows"][key].values()) for key in ("in", "out"))
    reasons = ", ".join(f"{sum(parts.values()):,} {reason}" for reason, parts in told["removed"].items())
    say(f"clean: {before:,} rows in, {after:,} out; removed: {reasons or 'none'}")
    for split, count in told["leaked"].items():
        say(f"clean: {count:,} of {told['rows']['out'][split]:,} {split} rows have a copy in train as read")
