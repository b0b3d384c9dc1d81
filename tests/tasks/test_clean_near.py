"""What `clean` does with near-duplicates and with corrections, on rows that hold each case once."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_clean import HEADER, corpus, gone, run

from wenhuo.errors import DataError

BASE = "这家酒店的房间很干净，前台服务也非常热情，早餐种类丰富，下次出差还会选择这里"
OTHER = "笔记本的屏幕分辨率不错，键盘手感也好，就是电池只能用两个小时，风扇声音有一点大"
THIRD = "小说的开头节奏太慢，看到第三章才渐渐有了起色，结尾却又仓促得让人失望，可惜了好题材"
FOURTH = "手机拍照清楚，系统流畅没有卡顿，充电速度比上一代快了许多，只是机身有些重"


def near(text: str, at: int = 9) -> str:
    return f"{text[:at]}也{text[at + 1 :]}"


# Each text is another row's but for one character; what happens is said on the right.
ROWS = [
    ("a1", BASE, "正", "train"),  # near e1
    ("a2", OTHER, "负", "train"),  # near v1
    ("a3", THIRD, "负", "train"),  # stays, the first of its cluster
    ("a4", near(THIRD), "负", "train"),  # nearly repeats a3
    ("a5", near(THIRD, 20), "正", "train"),  # nearly repeats a3 with another label
    ("a6", "与众不同的一句话，谁也不像", "正", "train"),
    ("v1", near(OTHER), "负", "validation"),
    ("v2", FOURTH, "正", "validation"),  # near e2
    ("e1", near(BASE), "正", "test"),
    ("e2", near(FOURTH), "正", "test"),
]


def removed(folder: Path) -> dict[str, float]:
    return dict(pl.read_parquet(folder / "removed.parquet").select("id", "similarity").iter_rows())


def test_no_cluster_is_left_in_two_splits(tmp_path: Path) -> None:
    left, report = run(tmp_path, corpus(ROWS))
    assert gone(tmp_path) == {
        "a1": ("nearly stands in test", "e1"),
        "a2": ("nearly stands in validation", "v1"),
        "v2": ("nearly stands in test", "e2"),
    }
    assert all(0.7 <= similarity < 1 for similarity in removed(tmp_path).values())
    assert dict(left.select("id", "leaked").iter_rows()) == dict.fromkeys(left["id"], False) | {"v1": True, "e1": True}
    assert left.group_by("cluster").agg(pl.col("split").n_unique()).drop_nulls()["split"].max() == 1
    assert report["leaked"] == {"validation": 1, "test": 1}
    assert report["near"]["across"] == {
        "train_in_validation": 1, "train_in_test": 1, "validation_in_train": 1, "validation_in_test": 1,
        "test_in_train": 1, "test_in_validation": 1,
    }  # fmt: skip
    assert (report["near"]["clusters"], report["near"]["by_size"]) == (4, {"2": 3, "3": 1})
    assert (report["near"]["rows"], report["near"]["clustered_rows"], report["near"]["labels_differ"]) == (10, 9, 1)


def test_clusters_are_written_with_all_their_members(tmp_path: Path) -> None:
    left, _ = run(tmp_path, corpus(ROWS))
    clusters = pl.read_parquet(tmp_path / "clusters.parquet")
    assert clusters.columns == [
        "cluster", "id", "text", "label", "split", "origin", "row", "source", "similarity", "stays"
    ]  # fmt: skip
    members = clusters.group_by("cluster", maintain_order=True).agg("id").rows()
    assert members == [("a1", ["a1", "e1"]), ("a2", ["a2", "v1"]), ("a3", ["a3", "a4", "a5"]), ("v2", ["v2", "e2"])]
    assert set(clusters.filter("stays")["id"]) == {"a3", "a4", "a5", "v1", "e1", "e2"}
    assert dict(left.select("id", "cluster").drop_nulls().iter_rows())["a5"] == "a3"


def test_near_repeats_in_train_go_when_asked_to(tmp_path: Path) -> None:
    run(tmp_path, corpus(ROWS), near_duplicates={"in_train": "remove"})
    found = gone(tmp_path)
    assert found["a4"] == ("nearly repeats an earlier row", "a3")
    assert not {"a3", "a5", "a6"} & set(found)  # a5 bears another label


def test_near_leaks_are_reported_only_or_stop_the_graph(tmp_path: Path) -> None:
    left, report = run(tmp_path, corpus(ROWS), leaks="report")
    assert gone(tmp_path) == {}
    assert left.filter("leaked")["id"].to_list() == ["v1", "e1"]
    assert report["near"]["across"]["train_in_test"] == 1
    with pytest.raises(DataError, match=r"1 train rows nearly stand in test; the first is tiny\.tsv, row 1"):
        run(tmp_path, corpus(ROWS), leaks="fail")


def test_near_duplicates_need_not_be_looked_for(tmp_path: Path) -> None:
    left, report = run(tmp_path, corpus(ROWS), near_duplicates={"threshold": None})
    assert report["near"] is None
    assert gone(tmp_path) == {}
    assert left["cluster"].null_count() == left.height
    assert pl.read_parquet(tmp_path / "clusters.parquet").is_empty()


def test_undivided_rows_are_marked_and_stay(tmp_path: Path) -> None:
    left, _ = run(tmp_path, corpus([(i, text, label, None) for i, text, label, _ in ROWS]))
    assert gone(tmp_path) == {}
    assert left["cluster"].drop_nulls().n_unique() == 4
    assert not left["leaked"].any()


def test_contradictions_are_listed_whatever_the_policy(tmp_path: Path) -> None:
    rows = [
        ("c1", "好", "正", "train"),
        ("c2", "好 ", "负", "train"),
        ("c3", "好", "正", "test"),
        ("c4", "坏", "负", "train"),
    ]
    for policy in ("drop", "majority", "keep"):
        run(tmp_path, corpus(rows), contradictions=policy, leaks="report")
        listed = pl.read_parquet(tmp_path / "contradictions.parquet")
        assert listed["group"].to_list() == ["c1"] * 3
        assert listed["id"].to_list() == ["c1", "c2", "c3"]
        assert listed.filter("stays")["id"].to_list() == (["c3"] if policy != "keep" else ["c1", "c2", "c3"])


def test_a_correction_holds_for_every_copy_with_that_label(tmp_path: Path) -> None:
    rows = [
        ("b1", "房间干净", "负", "train"), ("b2", "房间 干净", "负", "test"), ("b3", "房间干净", "正", "validation"),
        ("b4", "太贵", "正", "train"), ("b5", "太贵", "正", "train"), ("b6", "一般", "负", "train"),
    ]  # fmt: skip
    lines = "b1,负,正,看错了\nb4,正,,不是评论\nb6,负,负,看过\nzz,正,负,\n"
    left, report = run(tmp_path, corpus(rows), corrections=HEADER + lines, leaks="report")
    assert dict(left.select("id", "label").iter_rows()) == {"b1": "正", "b2": "正", "b6": "负"}
    assert gone(tmp_path) == {
        "b3": ("stands in test", "b2"),
        "b4": ("taken out by a correction", None),
        "b5": ("taken out by a correction", "b4"),
    }
    assert report["corrections"] == {
        "applied": 4, "relabelled": 2, "taken_out": 2, "unknown": 1, "unknown_ids": ["zz"],
        "changes": [{"given": "正", "label": "", "rows": 2}, {"given": "负", "label": "正", "rows": 2}],
    }  # fmt: skip
    assert report["overlaps"]["as_read"]["validation_in_test"] == 1
    assert pl.read_parquet(tmp_path / "removed.parquet")["label"].to_list() == ["正", "正", "正"]


def test_a_correction_settles_a_contradiction(tmp_path: Path) -> None:
    rows = [("k1", "还行", "正", "train"), ("k2", "还行", "负", "train"), ("k3", "糟糕", "负", "train")]
    left, _ = run(tmp_path, corpus(rows), corrections=HEADER + "k2,负,正,\n")
    assert left["id"].to_list() == ["k1", "k3"]
    assert pl.read_parquet(tmp_path / "contradictions.parquet").is_empty()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a1,正,正面,\n", r"line 2: no row of the corpus bears the label 正面\n.*did you mean 正"),
        ("a1,正,中,\n", r"line 2: no row of the corpus bears the label 中\n"),
        ("a2,负,负,\na1,负,正,\n", r"line 3: the row bears the label 正, not 负"),
        ("d1,正,负,\nd2,正,,\n", r"lines 2, 3: copies of a text"),
    ],
)
def test_corrections_that_do_not_fit_the_corpus(tmp_path: Path, lines: str, message: str) -> None:
    rows = [*ROWS, ("d1", "同一句话", "正", "train"), ("d2", "同一句话", "正", "train")]
    with pytest.raises(DataError, match=message):
        run(tmp_path, corpus(rows), corrections=HEADER + lines)
    assert not (tmp_path / "clean.parquet").exists()


def test_a_declared_label_may_be_given_first_by_a_correction(tmp_path: Path) -> None:
    rows = [("a", "一", "正", "train"), ("b", "二", "正", "train")]  # the corpus declares 负 and 正
    left, _ = run(tmp_path, corpus(rows), corrections=HEADER + "b,正,负,\n")
    assert left["label"].to_list() == ["正", "负"]


def test_a_corpus_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks source\n"):
        run(tmp_path, corpus(ROWS).drop("source"))


rows_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(["", " ", "甲", "甲 ", "乙", BASE, near(BASE), near(BASE, 20), OTHER, near(OTHER)]),
        st.sampled_from("正负"),
        st.sampled_from(["train", "validation", "test", None]),
    ),
    max_size=14,
)


@given(rows_of_any_kind, st.sampled_from(["keep", "remove"]), st.sampled_from(["drop", "majority", "keep"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_splits_share_neither_texts_nor_clusters_and_nothing_is_lost(
    tmp_path: Path, rows: list[tuple[str, str, str | None]], in_train: str, contradicting: str
) -> None:
    table = corpus([(f"r{number}", *row) for number, row in enumerate(rows)])
    left, report = run(
        tmp_path, table, near_duplicates={"in_train": in_train, "permutations": 32}, contradictions=contradicting
    )
    assert sorted([*left["id"], *gone(tmp_path)]) == sorted(table["id"])
    named = left.with_columns(pl.col("split").fill_null("train"), key=pl.col("text").str.replace_all(" ", ""))
    for what in ("key", "cluster"):
        shared = named.drop_nulls(what).group_by(what).agg(pl.col("split").n_unique())
        assert (shared["split"] == 1).all()
    kept = set(table.filter(pl.col("split") == "test", pl.col("text").str.strip_chars() != "")["id"])
    assert kept == set(left.filter(pl.col("split") == "test")["id"])
    assert json.dumps(report)
