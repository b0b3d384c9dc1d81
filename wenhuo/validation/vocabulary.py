"""The expectations of Great Expectations that expectations.yaml may use, and their arguments.

A table of our own, because importing Great Expectations takes four seconds and mistakes in the file should be found in
a blink; a test holds it against the library. Left out are expectations that run queries, that are about the columns of
a table (they are ours) or their types, that pandas cannot answer, and ``row_condition`` (it is evaluated; ``where``
takes its place). The catalogue: https://greatexpectations.io/expectations/
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "expect_"
COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
RANGE = "min_value max_value strict_min strict_max"
MOSTLY = "mostly"

ANY = ("name", "number", "flag")
NUMBERS = ("number", "flag")
NAMES = ("name",)


@dataclass(frozen=True)
class Asked:
    """What an expectation wants.

    Attributes:
        required: arguments without which it means nothing.
        optional: arguments that it may have.
        kinds: the kinds of columns that it can be about.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    kinds: tuple[str, ...]


def _asked(required: str, optional: str = "", kinds: tuple[str, ...] = ANY) -> Asked:
    return Asked(tuple(required.split()), tuple(optional.split()), kinds)


EXPECTATIONS: dict[str, Asked] = {
    "column_distinct_values_to_be_in_set": _asked("column value_set"),
    "column_distinct_values_to_contain_set": _asked("column value_set"),
    "column_distinct_values_to_equal_set": _asked("column value_set"),
    "column_max_to_be_between": _asked("column", RANGE, NUMBERS),
    "column_mean_to_be_between": _asked("column", RANGE, NUMBERS),
    "column_median_to_be_between": _asked("column", RANGE, NUMBERS),
    "column_min_to_be_between": _asked("column", RANGE, NUMBERS),
    "column_most_common_value_to_be_in_set": _asked("column value_set", "ties_okay"),
    "column_pair_values_a_to_be_greater_than_b": _asked("column_A column_B", "mostly or_equal ignore_row_if", NUMBERS),
    "column_pair_values_to_be_equal": _asked("column_A column_B", "mostly ignore_row_if"),
    "column_pair_values_to_be_in_set": _asked("column_A column_B value_pairs_set", "mostly ignore_row_if"),
    "column_proportion_of_non_null_values_to_be_between": _asked("column", RANGE),
    "column_proportion_of_unique_values_to_be_between": _asked("column", RANGE),
    "column_quantile_values_to_be_between": _asked("column quantile_ranges", "allow_relative_error", NUMBERS),
    "column_stdev_to_be_between": _asked("column", RANGE, NUMBERS),
    "column_sum_to_be_between": _asked("column", RANGE, NUMBERS),
    "column_unique_value_count_to_be_between": _asked("column", RANGE),
    "column_value_lengths_to_be_between": _asked("column", f"{RANGE} {MOSTLY}", NAMES),
    "column_value_lengths_to_equal": _asked("column value", MOSTLY, NAMES),
    "column_value_z_scores_to_be_less_than": _asked("column threshold double_sided", MOSTLY, NUMBERS),
    "column_values_to_be_between": _asked("column", f"{RANGE} {MOSTLY}", NUMBERS),
    "column_values_to_be_in_set": _asked("column value_set", MOSTLY),
    "column_values_to_be_null": _asked("column", MOSTLY),
    "column_values_to_be_unique": _asked("column", MOSTLY),
    "column_values_to_match_regex": _asked("column regex", MOSTLY, NAMES),
    "column_values_to_match_regex_list": _asked("column regex_list", "match_on mostly", NAMES),
    "column_values_to_not_be_in_set": _asked("column value_set", MOSTLY),
    "column_values_to_not_be_null": _asked("column", MOSTLY),
    "column_values_to_not_match_regex": _asked("column regex", MOSTLY, NAMES),
    "column_values_to_not_match_regex_list": _asked("column regex_list", MOSTLY, NAMES),
    "compound_columns_to_be_unique": _asked("column_list", "mostly ignore_row_if"),
    "multicolumn_sum_to_equal": _asked("column_list sum_total", "mostly ignore_row_if", NUMBERS),
    "select_column_values_to_be_unique_within_record": _asked("column_list", "mostly ignore_row_if"),
    "table_row_count_to_be_between": _asked("", RANGE),
    "table_row_count_to_equal": _asked("value"),
}
"""By name without the ``expect_`` before it."""


def by_row(expectation: str) -> bool:
    """Is each row judged by itself? Of such an expectation one may ask that most rows meet it."""
    return MOSTLY in EXPECTATIONS[expectation.removeprefix(PREFIX)].optional
