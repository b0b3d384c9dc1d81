"""What is expected of every corpus: expectations by their Great Expectations names, each with a level and a sentence.

They are about tallies of the measured columns (:mod:`wenhuo.validation.tallies`), not about the rows: what is expected
of 5 million rows is then asked in a fifth of a second, where the rows took Great Expectations a second and 100
megabytes an expectation. :mod:`wenhuo.validation.verdicts` asks; importing this module does not import Great
Expectations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from wenhuo.splits import SPLITS
from wenhuo.validation.limits import Limits
from wenhuo.validation.measures import CORPUS_FIELDS

Level = Literal["error", "warning"]
# fmt: off
Unit = Literal[
    "offenders", "rows", "rows of the rarest label", "labels", "characters", "share", "change", "value",
    "unfit fields", "unused labels", "strayed splits", "strayed sources", "new labels", "lost labels",
]
# fmt: on
Batch = Literal["rows", "fields", "declared", "whole", "labels", "drift", "splits", "sources", "label_changes"]

NAMED = ("fields", "declared", "splits", "sources", "label_changes")
"""The batches of which each row has a name, its first column."""


@dataclass(frozen=True)
class Check:
    """One expectation with what a reader needs to understand it.

    Attributes:
        name: identifier in the reports, snake case.
        level: ``error`` stops the graph, ``warning`` is reported.
        description: what is expected, one plain sentence.
        expectation: its name in Great Expectations, snake case.
        arguments: what Great Expectations gets.
        unit: what the observed number is: ``offenders`` are rows that break the expectation, ``rows`` any other rows.
        offenders: selects what breaks it, among the measured rows or in a batch of named things (``NAMED``);
            None where it is not about single ones.
        batch: the table it is about: the measured ``rows`` themselves (only expectations of one's own), their tallies
            (``whole``, ``labels``), the corpus's ``fields``, its ``declared`` labels, or what changed since the
            previous version (``drift``, ``splits``, ``sources``, ``label_changes``).
        where: column to value: the rows it is about; all of them when empty.
        own: it stands in expectations.yaml.
    """

    name: str
    level: Level
    description: str
    expectation: str
    arguments: Mapping[str, Any]
    unit: Unit = "offenders"
    offenders: pl.Expr | None = None
    batch: Batch = "whole"
    where: Mapping[str, str] = field(default_factory=dict)
    own: bool = False


def all_checks(limits: Limits, label_order: Sequence[str] | None) -> list[Check]:
    """The suite: what is expected of the fields, the rows, the labels, the splits and the texts.

    Args:
        limits: see :class:`Limits`.
        label_order: the declared label names; None leaves out the two expectations about them.
    """
    declared = [] if label_order is None else _declared_checks(label_order)
    return [
        *_field_checks(limits),
        *_label_checks(limits),
        *declared,
        *_split_checks(),
        *_text_checks(limits),
        *_defect_checks(),
    ]


def _field_checks(limits: Limits) -> list[Check]:
    fields, splits = ", ".join(CORPUS_FIELDS), ", ".join(SPLITS)
    return [
        _values("fields", "error", f"The corpus has the fields {fields}, each of its type.", "fits", value_set=[True]),
        _least(
            "enough_rows", "error", f"There are at least {limits.min_rows:,} rows.", "rows", limits.min_rows, "rows"
        ),
        _none("ids_present", "error", "id_missing", "Every row has an id."),
        _none("ids_unique", "error", "id_repeated", "No two rows have the same id."),
        _none("texts_present", "error", "text_missing", "Every row has a text, be it an empty one."),
        _none("labels_present", "error", "label_missing", "Every row has a label."),
        _none("splits_known", "error", "split_unknown", f"A row belongs to one of {splits}, or to no split."),
    ]


def _label_checks(limits: Limits) -> list[Check]:
    largest, fewest, most = limits.max_largest_label, limits.min_label_rows, limits.max_labels
    return [
        Check(
            "number_of_labels",
            "error",
            f"There are at least 2 and at most {most:,} different labels.",
            "expect_table_row_count_to_be_between",
            {"min_value": 2, "max_value": most},
            unit="labels",
            batch="labels",
        ),
        _none(
            "labels_known_in_train", "error", "label_not_in_train", "Every label of validation and test is in train."
        ),
        _none(
            "labels_in_every_split",
            "warning",
            "label_not_in_all",
            "Every label has rows in each of the splits there are.",
        ),
        _none(
            "label_names_differ",
            "warning",
            "label_has_twin",
            "No two label names differ only by width, case or white space.",
        ),
        Check(
            "largest_label",
            "warning",
            f"No label has more than {largest:.0%} of the rows.",
            "expect_column_max_to_be_between",
            {"column": "share", "max_value": largest},
            unit="share",
            batch="labels",
        ),
        Check(
            "rows_per_label",
            "warning",
            f"Every label has at least {fewest:,} rows.",
            "expect_column_min_to_be_between",
            {"column": "rows", "min_value": fewest},
            unit="rows of the rarest label",
            offenders=pl.col("label_rows") < fewest,
            batch="labels",
        ),
    ]


def _declared_checks(label_order: Sequence[str]) -> list[Check]:
    number = len(label_order)
    return [
        _none("labels_declared", "error", "label_undeclared", f"Every label is one of the {number} declared ones."),
        Check(
            "declared_labels_used",
            "warning",
            f"Each of the {number} declared labels has rows.",
            "expect_column_values_to_be_between",
            {"column": "rows", "min_value": 1},
            unit="unused labels",
            offenders=pl.col("rows") == 0,
            batch="declared",
        ),
    ]


def _split_checks() -> list[Check]:
    texts = {
        "test_apart_from_train": (
            "test_in_train",
            "No test row's text stands in train; clean removes the train copies.",
        ),
        "validation_apart_from_train": (
            "validation_in_train",
            "No validation row's text stands in train; clean removes the train copies.",
        ),
        "test_apart_from_validation": ("test_in_validation", "No test row's text stands in validation."),
        "labels_agree": ("contradicts", "No text has several labels."),
    }
    return [_none(name, "warning", column, description) for name, (column, description) in texts.items()]


def _text_checks(limits: Limits) -> list[Check]:
    chinese, longest = limits.min_chinese, limits.max_characters
    asked = f"at least {chinese:.0%} are asked for" if chinese else "no least share is asked for"
    return [
        _most_share("few_blank_texts", "error", "is_blank", limits.max_blank, "of the texts are blank"),
        _none("no_blank_texts", "warning", "is_blank", "No text is blank."),
        Check(
            "lengths",
            "warning",
            f"No text is longer than {longest:,} characters.",
            "expect_column_max_to_be_between",
            {"column": "longest", "max_value": longest},
            unit="characters",
            offenders=pl.col("characters") > longest,
        ),
        Check(
            "share_of_chinese",
            "warning",
            f"Of a text's characters a share is Chinese, on average; {asked}.",
            "expect_column_min_to_be_between",
            {"column": "chinese_share", "min_value": chinese},
            unit="share",
        ),
        _most_share(
            "few_repeats",
            "warning",
            "repeats_earlier",
            limits.max_repeats,
            "of the rows repeat an earlier row of their split",
        ),
    ]


def _defect_checks() -> list[Check]:
    texts = {
        "no_html": ("has_html", "No text holds remains of HTML: tags, comments or entities."),
        "no_controls": ("has_controls", "No text holds control, zero-width or bidirectional marks."),
        "no_replacement_characters": (
            "has_replacement_character",
            "No text holds U+FFFD, the sign that something could not be decoded.",
        ),
        "no_mojibake": ("has_mojibake", "No text looks as if it was read in the wrong encoding."),
    }
    return [_none(name, "warning", column, description) for name, (column, description) in texts.items()]


def _values(name: str, level: Level, description: str, column: str, *, value_set: list[Any]) -> Check:
    arguments = {"column": column, "value_set": value_set}
    expectation, offenders = "expect_column_values_to_be_in_set", ~pl.col(column).is_in(value_set)
    return Check(name, level, description, expectation, arguments, "unfit fields", offenders, "fields")


def _none(name: str, level: Level, column: str, description: str) -> Check:
    """No row has this flag: the tally of the rows that have it sums up to nothing."""
    arguments = {"column": column, "max_value": 0}
    return Check(name, level, description, "expect_column_sum_to_be_between", arguments, offenders=pl.col(column))


def _least(name: str, level: Level, description: str, column: str, least: float, unit: Unit) -> Check:
    arguments = {"column": column, "min_value": least}
    return Check(name, level, description, "expect_column_sum_to_be_between", arguments, unit)


def _most_share(name: str, level: Level, column: str, most: float, what: str) -> Check:
    arguments = {"column": f"{column}_share", "max_value": most}
    description, expectation = f"At most {most:.1%} {what}.", "expect_column_max_to_be_between"
    return Check(name, level, description, expectation, arguments, "share", pl.col(column))
