"""Each planted defect is measured, clean texts hold none, and no text stays in the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wenhuo.sifting.duplicates import overlaps
from wenhuo.tables import read_about
from wenhuo.text.html import without_html
from wenhuo.text.keys import chinese_share
from wenhuo.validation.measures import CORPUS_FIELDS, Measures, measure, measure_declared, measure_fields

SCHEMA = {name: getattr(pl, kind) for name, kind in CORPUS_FIELDS.items()}


def write_corpus(path: Path, rows: list[dict[str, Any]], **about: Any) -> Path:
    full = [
        {"id": f"i{n}", "text": f"好评{n}", "label": "a", "origin": "x.csv", "row": n + 2, "source": "x"} | row
        for n, row in enumerate(rows)
    ]
    table = pl.DataFrame(full, schema=SCHEMA).to_arrow()
    pq.write_table(table.replace_schema_metadata({b"wenhuo": json.dumps(about).encode()}), path)
    return path


def measures_of(folder: Path, rows: list[dict[str, Any]], label_order: list[str] | None = None) -> Measures:
    return measure(write_corpus(folder / "corpus.parquet", rows), label_order)


def measured(folder: Path, rows: list[dict[str, Any]], label_order: list[str] | None = None) -> pl.DataFrame:
    return measures_of(folder, rows, label_order).rows


FLAGS = ("text_missing", "is_blank", "has_html", "has_controls", "has_replacement_character", "has_mojibake")
DEFECTS = [
    (None, {"text_missing", "is_blank"}),
    ("", {"is_blank"}),
    (" \u3000\t\r\n\xa0", {"is_blank"}),
    ("\u200b\ufeff ", {"is_blank", "has_controls"}),
    ("很好<br>很好", {"has_html"}),
    ("很好&nbsp;很好", {"has_html"}),
    ("很&#22909;", {"has_html"}),
    ("很\x00好", {"has_controls"}),
    ("很\u200b好", {"has_controls"}),
    ("\u202e好很", {"has_controls"}),
    ("很\x85好", set()),  # an old line end
    ("很\ufffd好", {"has_replacement_character"}),
    ("很好".encode().decode("latin-1"), {"has_mojibake", "has_controls"}),
    ("酒店不错".encode().decode("cp1252", "ignore"), {"has_mojibake"}),
    ("锟斤拷锟斤拷", {"has_mojibake"}),
    ("很好，5<6，<红楼梦>，A&B，http://a.cn/?b=1&c=2", set()),
    ("很好👨\u200d👩\u200d👧 ❤\ufe0f", set()),
    ("ｆｕｌｌ　ｗｉｄｔｈ", set()),
    ("Ça va très bien, été à Nîmes – größer “zitiert”", set()),
    ("𠮷野家 ㄅㄆㄇ にほんご 한국어", set()),
]


@pytest.mark.parametrize(("text", "expected"), DEFECTS)
def test_each_defect_of_a_text_is_measured(tmp_path: Path, text: str | None, expected: set[str]) -> None:
    row = measured(tmp_path, [{"text": text}]).row(0, named=True)
    assert {flag for flag in FLAGS if row[flag]} == expected
    assert row["characters"] == len(text or "")


def test_defects_are_found_among_many_rows(tmp_path: Path) -> None:
    rows = [{"text": text} for text, _ in DEFECTS for _ in range(3)]
    table = measured(tmp_path, rows)
    assert table["has_html"].to_list() == ["has_html" in expected for _, expected in DEFECTS for _ in range(3)]


def test_no_text_stays_in_the_table(tmp_path: Path) -> None:
    secret = "谁都不该看见的一句话"
    measures = measures_of(tmp_path, [{"text": secret}, {"text": secret + "！"}])
    assert all(secret not in table.write_json() for table in (measures.rows, measures.labels, measures.copies))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("好很 <b>&amp;\u3000")), min_size=1
    )
)
def test_whole_columns_agree_with_one_text_at_a_time(tmp_path: Path, texts: list[str]) -> None:
    table = measured(tmp_path, [{"text": text} for text in texts])
    shares = table["chinese_share"].fill_null(0.0).to_list()
    assert shares == pytest.approx([chinese_share(text) for text in texts])
    assert table["has_html"].to_list() == [without_html(text) != text for text in texts]
    assert table["characters"].to_list() == [len(text) for text in texts]


ROWS = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["好", " 好 ", "差", "", "一般"]),
        "label": st.sampled_from(["a", "b"]),
        "split": st.sampled_from(["train", "validation", "test"]),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=12))
def test_flags_add_up_to_the_counts_of_overlaps(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    measures = measures_of(tmp_path, rows)
    table, counts = measures.rows, overlaps(measures.copies)
    repeats = dict(table.group_by("split").agg(pl.col("repeats_earlier").sum()).iter_rows())
    assert repeats.get("train", 0) == counts.repeats_in_train
    assert repeats.get("test", 0) == counts.repeats_in_test
    assert table["test_in_train"].sum() == counts.test_in_train
    assert table["validation_in_train"].sum() == counts.validation_in_train
    assert table["test_in_validation"].sum() == counts.test_in_validation
    if counts.contradictions_in_train or counts.test_in_train_otherwise:
        assert table["contradicts"].any()


def test_rows_of_no_split_count_as_train(tmp_path: Path) -> None:
    table = measured(tmp_path, [{"text": "好"}, {"text": "好 ", "split": "test"}])
    assert table["test_in_train"].to_list() == [False, True]
    assert not table["label_not_in_train"].any()


def test_contradictions_are_rows_whose_text_has_several_labels(tmp_path: Path) -> None:
    rows = [{"text": "好"}, {"text": "好 ", "label": "b"}, {"text": "差"}, {"text": " "}, {"text": "", "label": "b"}]
    assert measured(tmp_path, rows)["contradicts"].to_list() == [True, True, False, False, False]


def test_labels_are_measured_against_the_splits(tmp_path: Path) -> None:
    rows = [
        {"label": "a", "split": "train"},
        {"label": "b", "split": "train"},
        {"label": "a", "split": "test"},
        {"label": "c", "split": "test"},
        {"label": None, "split": "test"},
    ]
    measures = measures_of(tmp_path, rows, ["a", "b"])
    table = measures.rows
    assert table["label_not_in_train"].to_list() == [False, False, False, True, False]
    assert table["label_not_in_all"].to_list() == [False, True, False, True, False]
    assert table["label_undeclared"].to_list() == [False, False, False, True, False]
    assert table["label_rows"].to_list() == [2, 1, 2, 1, None]
    assert table["label_share"].to_list() == pytest.approx([0.4, 0.2, 0.4, 0.2, None])
    assert measure_declared(measures.labels, ["a", "z"]).to_dicts() == [
        {"label": "a", "rows": 2},
        {"label": "z", "rows": 0},
    ]


@pytest.mark.parametrize("twin", ["Good ", "ｇｏｏｄ", "GOOD", "go od", "good\u3000"])
def test_labels_that_look_alike_are_twins(tmp_path: Path, twin: str) -> None:
    table = measured(tmp_path, [{"label": "good"}, {"label": twin}, {"label": "bad"}])
    assert table["label_has_twin"].to_list() == [True, True, False]


def test_a_blank_label_is_none(tmp_path: Path) -> None:
    assert measured(tmp_path, [{"label": " \u3000"}, {"label": "a"}])["label"].to_list() == [None, "a"]


def test_fields_that_are_missing_or_of_another_type_count_as_nulls(tmp_path: Path) -> None:
    path = tmp_path / "corpus.parquet"
    pl.DataFrame({"id": [1, 2], "text": ["好", "差"], "more": [0, 0]}).write_parquet(path)
    table = measure(path).rows
    assert not table["id_missing"].any()
    assert table["label"].null_count() == 2
    unfit = measure_fields(path).filter(~pl.col("fits"))["field"].to_list()
    assert unfit == ["id", "label", "split", "origin", "row", "source"]
    assert read_about(path) == {}


def test_an_empty_corpus_gives_an_empty_table_of_the_same_columns(tmp_path: Path) -> None:
    empty, full = measured(tmp_path, []), measured(tmp_path, [{}])
    assert empty.height == 0
    assert empty.schema == full.schema
