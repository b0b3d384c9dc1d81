"""What is expected of a corpus: Great Expectations over its measured columns, each with a level and a plain sentence.

The suite sees the columns of :mod:`wenhuo.quality.measures` and never a text. :mod:`wenhuo.quality.verdicts` holds a
corpus against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
from great_expectations import expectations as gxe

from wenhuo.quality.limits import Limits
from wenhuo.quality.measures import CORPUS_FIELDS, SPLITS

Level = Literal["error", "warning"]
Unit = Literal["offenders", "rows", "rows of the rarest label", "labels", "share", "unfit fields", "unused labels"]
Batch = Literal["rows", "fields", "declared"]


@dataclass(frozen=True)
class Check:
    """One expectation with what a reader needs to understand it.

    Attributes:
        name: identifier in the reports, snake case.
        level: ``error`` stops the graph, ``warning`` is reported.
        description: what is expected, one plain sentence.
        expectation: a Great Expectations expectation.
        unit: what the observed number is: ``offenders`` are rows that break the expectation, ``rows`` any other rows.
        offenders: selects what breaks it in its batch; None where it is not about single rows, fields or labels.
        batch: the table it is about: the measured ``rows``, the corpus's ``fields`` or its ``declared`` labels.
    """

    name: str
    level: Level
    description: str
    expectation: Any
    unit: Unit = "offenders"
    offenders: pl.Expr | None = None
    batch: Batch = "rows"


def all_checks(limits: Limits, label_order: Sequence[str] | None) -> list[Check]:
    """The suite: what is expected of the fields, the rows, the labels, the splits and the texts.

    Args:
        limits: see :class:`Limits`.
        label_order: the declared label names; None leaves out the two expectations about them.
    """
    declared = [] if label_order is None else _declared_checks(label_order)
    return [
        _field_check(),
        *_row_checks(limits),
        *_label_checks(limits),
        *declared,
        *_split_checks(),
        *_text_checks(limits),
    ]


def _field_check() -> Check:
    return Check(
        "fields",
        "error",
        f"The corpus has the fields {', '.join(CORPUS_FIELDS)}, each of its type.",
        gxe.ExpectColumnValuesToBeInSet(column="fits", value_set=[True]),
        unit="unfit fields",
        offenders=~pl.col("fits"),
        batch="fields",
    )


def _row_checks(limits: Limits) -> list[Check]:
    return [
        Check(
            "enough_rows",
            "error",
            f"There are at least {limits.min_rows:,} rows.",
            gxe.ExpectTableRowCountToBeBetween(min_value=limits.min_rows),
            unit="rows",
        ),
        _present("ids_present", "id", "Every row has an id."),
        Check(
            "ids_unique",
            "error",
            "No two rows have the same id.",
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            offenders=pl.col("id").is_duplicated() & pl.col("id").is_not_null(),
        ),
        _flag("texts_present", "error", "text_missing", "Every row has a text, be it an empty one."),
        _present("labels_present", "label", "Every row has a label."),
        Check(
            "splits_known",
            "error",
            f"A row belongs to one of {', '.join(SPLITS)}, or to no split.",
            gxe.ExpectColumnValuesToBeInSet(column="split", value_set=list(SPLITS)),
            offenders=pl.col("split").is_not_null() & ~pl.col("split").is_in(SPLITS),
        ),
    ]


def _label_checks(limits: Limits) -> list[Check]:
    largest, fewest = limits.max_largest_label, limits.min_label_rows
    return [
        Check(
            "number_of_labels",
            "error",
            f"There are at least 2 and at most {limits.max_labels:,} different labels.",
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="label", min_value=2, max_value=limits.max_labels),
            unit="labels",
        ),
        _flag(
            "labels_known_in_train", "error", "label_not_in_train", "Every label of validation and test is in train."
        ),
        _flag(
            "labels_in_every_split",
            "warning",
            "label_not_in_all",
            "Every label has rows in each of the splits there are.",
        ),
        _flag(
            "label_names_differ",
            "warning",
            "label_has_twin",
            "No two label names differ only by width, case or white space.",
        ),
        Check(
            "largest_label",
            "warning",
            f"No label has more than {largest:.0%} of the rows.",
            gxe.ExpectColumnMaxToBeBetween(column="label_share", max_value=largest),
            unit="share",
        ),
        Check(
            "rows_per_label",
            "warning",
            f"Every label has at least {fewest:,} rows.",
            gxe.ExpectColumnMinToBeBetween(column="label_rows", min_value=fewest),
            unit="rows of the rarest label",
            offenders=pl.col("label_rows") < fewest,
        ),
    ]


def _declared_checks(label_order: Sequence[str]) -> list[Check]:
    number = len(label_order)
    return [
        _flag("labels_declared", "error", "label_undeclared", f"Every label is one of the {number} declared ones."),
        Check(
            "declared_labels_used",
            "warning",
            f"Each of the {number} declared labels has rows.",
            gxe.ExpectColumnValuesToBeBetween(column="rows", min_value=1),
            unit="unused labels",
            offenders=pl.col("rows") == 0,
            batch="declared",
        ),
    ]


def _split_checks() -> list[Check]:
    return [
        _flag(
            "test_apart_from_train",
            "warning",
            "test_in_train",
            "No test row's text stands in train; clean removes the train copies.",
        ),
        _flag(
            "validation_apart_from_train",
            "warning",
            "validation_in_train",
            "No validation row's text stands in train; clean removes the train copies.",
        ),
        _flag(
            "test_apart_from_validation", "warning", "test_in_validation", "No test row's text stands in validation."
        ),
        _flag("labels_agree", "warning", "contradicts", "No text has several labels."),
    ]


def _text_checks(limits: Limits) -> list[Check]:
    chinese = limits.min_chinese
    asked = f"at least {chinese:.0%} are asked for" if chinese else "no least share is asked for"
    return [
        Check(
            "few_blank_texts",
            "error",
            f"At most {limits.max_blank:.1%} of the texts are blank.",
            gxe.ExpectColumnMeanToBeBetween(column="is_blank", max_value=limits.max_blank),
            unit="share",
            offenders=pl.col("is_blank"),
        ),
        _flag("no_blank_texts", "warning", "is_blank", "No text is blank."),
        Check(
            "lengths",
            "warning",
            f"No text is longer than {limits.max_characters:,} characters.",
            gxe.ExpectColumnValuesToBeBetween(column="characters", max_value=limits.max_characters),
            offenders=pl.col("characters") > limits.max_characters,
        ),
        Check(
            "share_of_chinese",
            "warning",
            f"Of a text's characters a share is Chinese, on average; {asked}.",
            gxe.ExpectColumnMeanToBeBetween(column="chinese_share", min_value=chinese),
            unit="share",
        ),
        Check(
            "few_repeats",
            "warning",
            f"At most {limits.max_repeats:.1%} of the rows repeat an earlier row of their split.",
            gxe.ExpectColumnMeanToBeBetween(column="repeats_earlier", max_value=limits.max_repeats),
            unit="share",
            offenders=pl.col("repeats_earlier"),
        ),
        _flag("no_html", "warning", "has_html", "No text holds remains of HTML: tags, comments or entities."),
        _flag("no_controls", "warning", "has_controls", "No text holds control, zero-width or bidirectional marks."),
        _flag(
            "no_replacement_characters",
            "warning",
            "has_replacement_character",
            "No text holds U+FFFD, the sign that something could not be decoded.",
        ),
        _flag("no_mojibake", "warning", "has_mojibake", "No text looks as if it was read in the wrong encoding."),
    ]


def _flag(name: str, level: Level, column: str, description: str) -> Check:
    expectation = gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[False])
    return Check(name, level, description, expectation, offenders=pl.col(column))


def _present(name: str, column: str, description: str) -> Check:
    expectation = gxe.ExpectColumnValuesToNotBeNull(column=column)
    return Check(name, "error", description, expectation, offenders=pl.col(column).is_null())
