from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wenhuo.encoding import ngrams
from wenhuo.encoding.options import Ngrams
from wenhuo.encoding.store import EncodedRows, pack, read_rows, write_rows
from wenhuo.errors import DataError

TEXTS = ["房间 很干净", "房间很脏", "前台很热情", "前台不热情"]


@pytest.mark.parametrize("unit", ["characters", "words"])
def test_saved_and_loaded_it_weighs_the_same(tmp_path: Path, unit):
    options = Ngrams(kind="ngrams", unit=unit, min_rows=1)
    fitted = ngrams.fit(TEXTS, options)
    ngrams.save(fitted, tmp_path)
    loaded = ngrams.load(tmp_path, options)
    unseen = [*TEXTS, "从没见过的字", ""]
    difference = ngrams.transform(fitted, unseen) - ngrams.transform(loaded, unseen)
    assert abs(difference).max() < 1e-6


def test_only_safe_files_are_written(tmp_path: Path):
    ngrams.save(ngrams.fit(TEXTS, Ngrams(kind="ngrams")), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["vocabulary.parquet"]
    assert pl.read_parquet(tmp_path / "vocabulary.parquet").columns == ["ngram", "idf"]


def test_rare_ngrams_and_the_limit():
    every = ngrams.fit(TEXTS, Ngrams(kind="ngrams", min_rows=1, longest=1))
    shared = ngrams.fit(TEXTS, Ngrams(kind="ngrams", min_rows=2, longest=1))
    assert "脏" in every.vocabulary_
    assert "脏" not in shared.vocabulary_
    assert len(ngrams.fit(TEXTS, Ngrams(kind="ngrams", min_rows=1, max_features=3)).vocabulary_) == 3


def test_nothing_in_common_is_a_clear_error():
    with pytest.raises(DataError, match="no n-gram stands in 3"):
        ngrams.fit(["甲", "乙"], Ngrams(kind="ngrams", min_rows=3))


def test_rows_come_back_from_disk(tmp_path: Path):
    offsets, values = pack([[1, 2, 3], [], [7]])
    rows = EncodedRows(np.array([0, 1, 0], dtype=np.int32), offsets, values, values.astype(np.float32) / 2)
    write_rows(tmp_path / "x.arrow", ["a", "b", "c"], rows)
    again = read_rows(tmp_path / "x.arrow")
    assert [again.row(i).tolist() for i in range(3)] == [[1, 2, 3], [], [7]]
    assert again.weights.tolist() == [0.5, 1.0, 1.5, 3.5]
    assert again.lengths.tolist() == [3, 0, 1]


def test_no_rows_come_back_as_none(tmp_path: Path):
    offsets, values = pack([])
    write_rows(tmp_path / "x.arrow", [], EncodedRows(np.zeros(0, dtype=np.int32), offsets, values))
    assert len(read_rows(tmp_path / "x.arrow")) == 0


def test_a_damaged_file_is_a_clear_error(tmp_path: Path):
    (tmp_path / "x.arrow").write_bytes(b"not arrow")
    with pytest.raises(DataError, match="cannot be read as encoded rows"):
        read_rows(tmp_path / "x.arrow")
