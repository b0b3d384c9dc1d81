"""expectations.yaml: what it can say, and that every mistake in it is found, placed and explained beforehand."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from great_expectations import expectations
from great_expectations.expectations.expectation import BatchExpectation, Expectation

from wenhuo.errors import SettingsError
from wenhuo.validation.columns import COLUMNS
from wenhuo.validation.limits import Limits
from wenhuo.validation.measures import CORPUS_FIELDS
from wenhuo.validation.own import built_in_names, read_expectations
from wenhuo.validation.suite import validate_corpus
from wenhuo.validation.vocabulary import EXPECTATIONS, PREFIX

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = {name: getattr(pl, kind) for name, kind in CORPUS_FIELDS.items()}
ROWS = [
    {
        "id": f"i{n}",
        "text": "好" * (n % 30 + 1) + str(n),
        "label": "ab"[n // 3 % 2],
        "split": ("train", "validation", "test")[n % 3],
        "origin": "x.csv",
        "row": n,
        "source": "网店" if n < 10 else "web",
    }
    for n in range(60)
]


def written(folder: Path, text: str) -> Path:
    path = folder / "expectations.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def judge(folder: Path, text: str, rows: list[dict[str, Any]] = ROWS) -> dict[str, dict[str, Any]]:
    pl.DataFrame(rows, schema=SCHEMA).write_parquet(folder / "corpus.parquet")
    validated = validate_corpus(folder / "corpus.parquet", Limits(), written(folder, text))
    return {verdict["name"]: verdict for verdict in validated.summary["expectations"]}


def own(expect: str, where: str = "{}", level: str = "warning") -> str:
    return f"own:\n  mine:\n    level: {level}\n    because: It is so.\n    expect: {expect}\n    where: {where}\n"


def test_the_shipped_file_changes_nothing() -> None:
    chosen = read_expectations(ROOT / "expectations.yaml")
    assert (chosen.levels, list(chosen.own)) == ({}, [])


def test_what_the_shipped_file_shows_as_examples_is_right(tmp_path: Path) -> None:
    text = (ROOT / "expectations.yaml").read_text(encoding="utf-8")
    lines = [line.replace("#  ", "  ", 1) if line.startswith("#  ") else line for line in text.splitlines()]
    chosen = read_expectations(written(tmp_path, "\n".join(lines)))
    assert len(chosen.levels) == 3
    assert [check.name for check in chosen.own] == ["titles_are_short", "complaints_stay_rare"]


def test_levels_of_built_in_expectations_change(tmp_path: Path) -> None:
    rows = [*ROWS, ROWS[0] | {"id": "more", "text": "<b>好</b>"}]
    verdicts = judge(tmp_path, "levels: {no_html: error, no_controls: off}\n", rows)
    assert (verdicts["no_html"]["level"], verdicts["no_html"]["success"]) == ("error", False)
    assert "no_controls" not in verdicts
    assert verdicts["no_mojibake"]["level"] == "warning"


OWN = [
    ("{column_values_to_be_between: {column: characters, max_value: 20}}", "{}", False, "offenders"),
    ("{column_values_to_be_between: {column: characters, max_value: 20, mostly: 0.5}}", "{}", True, "offenders"),
    ("{expect_column_max_to_be_between: {column: characters, max_value: 99}}", "{}", True, "value"),
    ("{column_mean_to_be_between: {column: chinese_share, min_value: 0.99}}", "{}", False, "value"),
    ("{column_unique_value_count_to_be_between: {column: label, max_value: 2}}", "{}", True, "value"),
    ("{column_values_to_match_regex: {column: label, regex: '^[ab]$'}}", "{}", True, "offenders"),
    ("{column_values_to_match_regex: {column: label, regex: '^[a]$'}}", "{label: b}", False, "offenders"),
    ("{column_distinct_values_to_be_in_set: {column: source, value_set: [网店, web]}}", "{}", True, "value"),
    ("{column_distinct_values_to_equal_set: {column: source, value_set: [网店]}}", "{source: 网店}", True, "value"),
    ("{table_row_count_to_equal: {value: 20}}", "{split: train}", True, "value"),
    ("{table_row_count_to_be_between: {min_value: 11}}", "{split: train, label: a}", False, "value"),
    ("{column_quantile_values_to_be_between: {column: characters, quantile_ranges: "
     "{quantiles: [0.5], value_ranges: [[1, 99]]}}}", "{}", True, "value"),
    ("{column_values_to_be_in_set: {column: has_html, value_set: [false]}}", "{}", True, "offenders"),
    ("{column_values_to_not_be_null: {column: split}}", "{}", True, "offenders"),
]  # fmt: skip


@pytest.mark.parametrize(("expect", "where", "success", "unit"), OWN)
def test_expectations_of_ones_own_are_held(tmp_path: Path, expect: str, where: str, success: bool, unit: str) -> None:
    verdict = judge(tmp_path, own(expect, where))["mine"]
    assert (verdict["success"], verdict["unit"], verdict["own"]) == (success, unit, True)
    assert verdict["note"] != "it could not be evaluated"
    assert verdict["description"] == "It is so."


def test_where_chooses_rows(tmp_path: Path) -> None:
    text = own("{column_values_to_be_between: {column: characters, max_value: 5}}", "{split: test, label: a}")
    verdict = judge(tmp_path, text)["mine"]
    chosen = [row for row in ROWS if (row["split"], row["label"]) == ("test", "a")]
    long = [row for row in chosen if len(row["text"]) > 5]
    assert (verdict["rows"], verdict["share"]) == (len(long), len(long) / len(chosen))
    assert [row["id"] for row in verdict["offenders"]] == [row["id"] for row in long[:20]]


@pytest.mark.parametrize("expect", [
    "{column_max_to_be_between: {column: characters, max_value: 9}}",
    "{column_values_to_be_between: {column: characters, max_value: 9}}",
    "{column_values_to_be_in_set: {column: label, value_set: [a]}}",
    "{column_unique_value_count_to_be_between: {column: label, min_value: 1}}",
])  # fmt: skip
def test_an_empty_batch_is_judged_without_a_crash(tmp_path: Path, expect: str) -> None:
    verdict = judge(tmp_path, own(expect, "{label: nowhere}"))["mine"]
    assert verdict["observed"] in (None, 0)


@pytest.mark.parametrize(("expect", "success"), [
    ("{column_mean_to_be_between: {column: label_share, max_value: 0.9}}", False),
    ("{column_values_to_not_be_null: {column: label}}", False),
    ("{column_values_to_match_regex: {column: label, regex: a}}", True),
])  # fmt: skip
def test_a_column_of_nothing_but_nulls_is_judged_without_a_crash(tmp_path: Path, expect: str, success: bool) -> None:
    verdict = judge(tmp_path, own(expect), [row | {"label": None} for row in ROWS])["mine"]
    assert verdict["success"] is success
    assert verdict["note"] in ("", "there was nothing to measure")


def test_an_expectation_of_level_off_is_not_asked(tmp_path: Path) -> None:
    assert "mine" not in judge(tmp_path, own("{table_row_count_to_equal: {value: 3}}", level="off"))


MISTAKES = [
    ("levels: {no_htlm: off}", "levels.no_htlm: unknown parameter (did you mean no_html?)"),
    ("levels: {no_html: loud}", "levels.no_html: input should be 'error', 'warning' or 'off', not 'loud'"),
    ("levls: {}", "levls: unknown section (did you mean levels?)"),
    ("own: {Mine: {level: off, because: x, expect: {}}}", "own.Mine: this is no name"),
    ("own: {mine: {because: x, expect: {table_row_count_to_equal: {value: 1}}}}", "own.mine.level: missing"),
    (own("{colum_max_to_be_between: {column: label_rows}}"), "did you mean column_max_to_be_between?"),
    (own("{column_max_to_be_between: {colum: characters}}"), "unknown argument colum (did you mean column?)"),
    (own("{column_max_to_be_between: {colum: characters}}"), "the argument column is missing"),
    (own("{column_max_to_be_between: {column: charcters}}"), "unknown column charcters (did you mean characters?)"),
    (own("{column_max_to_be_between: {column: label}}"), "label is a name; this expectation is about numbers"),
    (own("{column_max_to_be_between: {column: text}}"), "unknown column text"),
    (own("{column_max_to_be_between: {column: characters, max_value: ten}}"), "max_value must be a number, not 'ten'"),
    (own("{column_values_to_be_unique: {column: label, mostly: 3}}"), "mostly is a share, 0 to 1, not 3"),
    (own("{column_values_to_be_in_set: {column: label, value_set: [0, 1]}}"), "put quotes around numbers"),
    (own("{column_values_to_be_in_set: {column: label, value_set: a}}"), "value_set must be a list"),
    (own("{column_values_to_match_regex: {column: label, regex: '('}}"), "'(' is no regular expression"),
    (own("{column_quantile_values_to_be_between: {column: characters, quantile_ranges: {quantiles: [1]}}}"),
     "quantile_ranges must be"),
    (own("{unexpected_rows_expectation: {unexpected_rows_query: select}}"), "unknown expectation"),
    (own("{column_values_to_be_null: {column: label, row_condition: 'x==1'}}"), "unknown argument row_condition"),
    (own("{}"), "name one expectation"),
    (own("[1]"), "own.mine.expect: input should be a valid dictionary"),
    (own("{table_row_count_to_equal: {value: 1}}", "{splt: train}"), "own.mine.where.splt: unknown parameter"),
    (own("{table_row_count_to_equal: {value: 1}}", "{split: dev}"), "own.mine.where.split: input should be 'train'"),
    (own("{table_row_count_to_equal: {value: 1}}").replace("mine", "no_html"), "own.no_html: this expectation is"),
    ("levels: [no_html", "is not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_expectations(written(tmp_path, text))
    assert said in caught.value.what
    assert "expectations.yaml" in caught.value.what


def test_all_mistakes_are_reported_together(tmp_path: Path) -> None:
    text = "levels: {no_htlm: off, no_html: loud}\n" + own("{column_max_to_be_between: {column: x, maximum: 3}}")
    with pytest.raises(SettingsError) as caught:
        read_expectations(written(tmp_path, text))
    for part in ("3 mistakes", "no_htlm", "'loud'", "unknown argument maximum", "unknown column x"):
        assert part in caught.value.what


def test_what_only_great_expectations_refuses_is_said_before_the_data_are_read(tmp_path: Path) -> None:
    text = own("{column_pair_values_to_be_equal: {column_A: label, column_B: split, ignore_row_if: sometimes}}")
    with pytest.raises(SettingsError, match=r"own\.mine\.expect: ignore_row_if"):
        validate_corpus(tmp_path / "there is no corpus.parquet", Limits(), written(tmp_path, text))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        read_expectations(tmp_path / "expectations.yaml")


def test_what_may_be_expected_agrees_with_great_expectations() -> None:
    for name, asked in EXPECTATIONS.items():
        kind = getattr(expectations, "".join(part.title() for part in (PREFIX + name).split("_")).replace("Kl", "Kl"))
        fields = kind.__fields__
        assert set(asked.required) | set(asked.optional) <= set(fields), name
        needed = {field for field, described in fields.items() if described.required}
        assert needed <= set(asked.required), name


def test_no_expectation_about_columns_is_forgotten() -> None:
    left_out = {
        *("column_kl_divergence_to_be_less_than", "column_to_exist", "column_type_to_be"),
        *("column_values_to_be_of_type", "column_values_to_be_in_type_list", "column_values_to_not_be_outliers"),
        *("column_values_to_be_json_parseable", "column_values_to_match_json_schema"),
        *("column_values_to_be_dateutil_parseable", "column_values_to_match_strftime_format"),
        *("column_values_to_be_decreasing", "column_values_to_be_increasing"),
        *("column_values_to_match_like_pattern", "column_values_to_match_like_pattern_list"),
        *("column_values_to_not_match_like_pattern", "column_values_to_not_match_like_pattern_list"),
        *("table_column_count_to_be_between", "table_column_count_to_equal", "table_row_count_to_equal_other_table"),
        *("table_columns_to_match_ordered_list", "table_columns_to_match_set", "query_results_to_match_comparison"),
        "multicolumn_values_to_be_equal",
    }
    kinds = [kind for _, kind in inspect.getmembers(expectations, inspect.isclass) if issubclass(kind, Expectation)]
    named = {str(kind.expectation_type) for kind in kinds if kind not in (Expectation, BatchExpectation)}
    known = {name.removeprefix(PREFIX) for name in named if name.startswith(PREFIX)}
    assert known == set(EXPECTATIONS) | left_out


def test_the_columns_and_names_are_documented() -> None:
    page = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    for name in (*COLUMNS, *built_in_names()):
        assert f"`{name}`" in page, name
