from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.sifting.duplicates import LEARNT, blank, contradictions, copies, overlaps, repeats
from wenhuo.text.keys import loose_keys

PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/data"
Row = tuple[str, str, str | None]


def table(rows: Sequence[Row]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"key": pl.String, "label": pl.String, "split": pl.String}, orient="row")
    return frame.with_row_index("id").with_columns(pl.col("id").cast(pl.String))


PLANTED = table(
    [
        ("好", "正", "train"),  # 0
        ("好", "正", "train"),  # 1 repeats 0
        ("坏", "负", "train"),  # 2
        ("坏", "正", "train"),  # 3 contradicts 2
        ("坏", "负", "train"),  # 4
        ("", "正", "train"),  # 5 blank
        ("", "负", "train"),  # 6 blank
        ("好", "正", "validation"),  # 7 stands in train
        ("测", "正", "validation"),  # 8 stands in test
        ("测", "正", "validation"),  # 9 stands in test, repeats 8
        ("测", "负", "test"),  # 10 stands in validation
        ("好", "负", "test"),  # 11 stands in train with another label
        ("坏", "正", "test"),  # 12 stands in train, there with both labels
        ("独", "正", None),  # 13
        ("独", "正", None),  # 14 repeats 13
        ("独", "负", None),  # 15 contradicts 13
    ]
)


def pairs(found: pl.DataFrame) -> list[tuple[str, str | None]]:
    return sorted(found.select("id", "of").iter_rows(), key=lambda pair: int(pair[0]))


def test_every_planted_overlap_is_counted() -> None:
    assert asdict(overlaps(PLANTED)) == {
        "repeats_in_train": 3,
        "repeats_in_validation": 1,
        "repeats_in_test": 0,
        "repeats_in_undivided": 2,
        "train_in_validation": 2,
        "train_in_test": 5,
        "validation_in_train": 1,
        "validation_in_test": 3,
        "test_in_train": 2,
        "test_in_validation": 2,
        "contradictions_in_train": 1,
        "contradictions_in_validation": 0,
        "contradictions_in_test": 0,
        "contradictions_in_undivided": 1,
        "validation_in_train_otherwise": 0,
        "test_in_train_otherwise": 2,
    }


def test_nothing_overlaps_in_an_empty_table() -> None:
    assert set(asdict(overlaps(PLANTED.head(0))).values()) == {0}


rows_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(["", "甲", "乙", "丙"]),
        st.sampled_from("ab"),
        st.sampled_from(["train", "validation", "test", None]),
    ),
    max_size=20,
)


@given(rows_of_any_kind)
def test_counts_agree_with_the_plain_definition(rows: list[Row]) -> None:
    counts = overlaps(table(rows))
    of = {split: [(key, label) for key, label, s in rows if s == split and key] for split in ("train", "test")}
    train = Counter(key for key, _ in of["train"])
    assert counts.repeats_in_train == sum(train.values()) - len(train)
    assert counts.contradictions_in_train == sum({(key, "a"), (key, "b")} <= set(of["train"]) for key in train)
    assert counts.test_in_train == sum(key in train for key, _ in of["test"])
    assert counts.test_in_train_otherwise == sum(
        (key, "ba"["ab".index(label)]) in of["train"] for key, label in of["test"]
    )


def test_blank_rows_are_found_in_every_split() -> None:
    assert pairs(blank(PLANTED)) == [("5", None), ("6", None)]


def test_copies_name_their_original() -> None:
    assert pairs(copies(PLANTED, pl.col("split") == "validation", "test")) == [("7", "11"), ("8", "10"), ("9", "10")]
    assert pairs(copies(PLANTED, LEARNT, "validation")) == [("0", "7"), ("1", "7")]


def test_contradictions_go_all_or_by_majority_or_not_at_all() -> None:
    everything = [("2", "3"), ("3", "2"), ("4", "3"), ("13", "15"), ("14", "15"), ("15", "13")]
    rows = PLANTED.filter(pl.col("key") != "")
    assert pairs(contradictions(rows, "drop")) == everything
    assert pairs(contradictions(rows, "majority")) == [("3", "2"), ("15", "13")]
    assert pairs(contradictions(rows, "keep")) == []


def test_a_tie_has_no_majority() -> None:
    tie = table([("坏", "负", "train"), ("坏", "正", "train"), ("坏", "中", "train")])
    assert pairs(contradictions(tie, "majority")) == [("0", "1"), ("1", "0"), ("2", "0")]


def test_only_learnt_rows_are_repeats_and_the_label_counts() -> None:
    rows = PLANTED.filter(pl.col("key") != "")
    assert pairs(repeats(rows)) == [("1", "0"), ("4", "2"), ("14", "13")]


def published(folder: str, text: int, label: int, header: int) -> pl.DataFrame:
    if not (PUBLISHED / folder).exists():
        pytest.skip(f"the published data set {folder} is not beside the project")
    rows: list[Row] = []
    for split, name in (("train", "train"), ("validation", "dev"), ("test", "test")):
        (path,) = (PUBLISHED / folder).glob(f"{name}.t*")
        lines = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n") if line][header:]
        rows += [(fields[text], fields[label], split) for fields in lines]
    return table(rows).with_columns(loose_keys(pl.col("key")))


@pytest.mark.parametrize(
    ("folder", "columns", "counts"),
    [("chnsenticorp", (1, 0, 1), (1358, 333, 340, 24, 6)), ("thucnews_titles", (0, 1, 0), (64, 36, 40, 3, 1))],
)
def test_known_defects_of_published_sets(folder: str, columns: tuple[int, int, int], counts: tuple[int, ...]) -> None:
    found = overlaps(published(folder, *columns))
    assert counts == (
        found.repeats_in_train,
        found.test_in_train,
        found.validation_in_train,
        found.contradictions_in_train,
        found.test_in_train_otherwise,
    )
