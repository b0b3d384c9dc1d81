"""Stable ids, and the Parquet files."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from wenhuo.reading.corpus import CorpusWriter, RowIds, rejected_writer
from wenhuo.reading.records import Chunk, Rejected
from wenhuo.tables import read_about

ROWS = st.lists(st.tuples(st.sampled_from(["一", "二", "三", ""]), st.sampled_from(["0", "1"])), max_size=40)


def _ids(rows: list[tuple[str, str]], step: int = 7) -> list[str]:
    ids = RowIds()
    return [
        made
        for at in range(0, len(rows), step)
        for made in ids.take([text for text, _ in rows[at : at + step]], [label for _, label in rows[at : at + step]])
    ]


@given(rows=ROWS, step=st.integers(1, 9), seed=st.integers(0, 99))
def test_ids_are_unique_and_depend_on_neither_order_nor_chunks(
    rows: list[tuple[str, str]], step: int, seed: int
) -> None:
    ids = _ids(rows, step)
    assert len(set(ids)) == len(rows)
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert sorted(zip(shuffled, _ids(shuffled), strict=True)) == sorted(zip(rows, ids, strict=True))


@given(rows=ROWS, more=ROWS)
def test_added_rows_change_no_id(rows: list[tuple[str, str]], more: list[tuple[str, str]]) -> None:
    assert _ids(rows + more)[: len(rows)] == _ids(rows)
    assert set(_ids(rows)) <= set(_ids(more + rows))


def test_text_and_label_do_not_run_together() -> None:
    assert len(set(_ids([("ab", "c"), ("b", "ca"), ("c", "ab"), ("bc", "a")]))) == 4


def test_many_rows_with_repeats() -> None:
    rows = [(f"文{n % 5000}", str(n % 3)) for n in range(40_000)]
    ids = _ids(rows, 1000)
    assert len(set(ids)) == len(rows)
    assert len({made for row, made in zip(rows, ids, strict=True) if row == rows[0]}) == rows.count(rows[0])


def _write(path: Path, chunks: list[Chunk]) -> None:
    with CorpusWriter(path, {"source": "here", "synthetic": False, "label_order": None}) as writer:
        for chunk in chunks:
            writer.add(chunk, "train", "train.csv", "评论")


def test_the_file_and_its_description(tmp_path: Path) -> None:
    path = tmp_path / "corpus.parquet"
    _write(path, [Chunk(["一", ""], ["0", "1"], [2, 3]), Chunk(["三"], ["0"], [4])])
    frame = pl.read_parquet(path)
    texts = dict.fromkeys(["id", "text", "label", "split", "origin"], pl.String)
    assert frame.schema == {**texts, "row": pl.Int64, "source": pl.String}
    assert frame.drop("id").rows() == [
        (text, label, "train", "train.csv", row, "评论")
        for text, label, row in [("一", "0", 2), ("", "1", 3), ("三", "0", 4)]
    ]
    assert read_about(path) == {"source": "here", "synthetic": False, "label_order": None}


def test_equal_rows_give_equal_bytes_however_they_were_cut(tmp_path: Path) -> None:
    texts = [f"第{n}条" for n in range(100)]
    _write(tmp_path / "a", [Chunk(texts, ["0"] * 100, list(range(100)))])
    _write(
        tmp_path / "b", [Chunk(texts[at : at + 10], ["0"] * 10, list(range(at, at + 10))) for at in range(0, 100, 10)]
    )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_rows_still_make_a_file(tmp_path: Path) -> None:
    _write(tmp_path / "empty", [])
    assert pl.read_parquet(tmp_path / "empty").height == 0
    with rejected_writer(tmp_path / "none") as write:
        write("a", "s", [])
    assert pl.read_parquet(tmp_path / "none").schema == {
        "origin": pl.String,
        "row": pl.Int64,
        "reason": pl.String,
        "content": pl.String,
        "source": pl.String,
    }
    with rejected_writer(tmp_path / "some") as write:
        write("a.csv", "评论", [Rejected(3, "no label", "好\t")])
    assert pl.read_parquet(tmp_path / "some").rows() == [("a.csv", 3, "no label", "好\t", "评论")]
