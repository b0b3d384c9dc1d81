"""Long texts in windows: nothing is lost that is not counted, and they come back from disk as they were."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.conftest import BAD, GOOD, NEUTRAL, write_parts
from wenhuo.encoding import corpus, tokens
from wenhuo.encoding.options import Tokens
from wenhuo.encoding.store import EncodedRows, pack, read_rows, write_rows


@given(st.integers(0, 200), st.integers(1, 40), st.integers(1, 40), st.integers(1, 30))
def test_windows_overlap_and_cover_the_text(length, room, stride, most):
    stride = min(stride, room)
    ids = list(range(length))
    found = tokens.windows(ids, room, stride, most)
    assert 1 <= len(found) <= most
    assert all(len(window) == min(room, length) for window in found)
    covered = sorted({i for window in found for i in window})
    assert covered == ids[: room + (most - 1) * stride]
    assert len(found) == 1 or found[-2][-1] < covered[-1], "no window too many"


def test_a_text_has_its_windows_special_tokens_and_count():
    tokenizer = tokens.from_corpus(["我爱北京"], Tokens(kind="tokens", max_tokens=8, keep="windows", most_windows=3))
    found = list(tokenizer.lengths_and_rows(["我" * 5, "我" * 7, "我" * 50, ""]))
    assert [length for length, _ in found] == [7, 9, 52, 2]
    assert [[len(row) for row in rows] for _, rows in found] == [[7], [8, 8], [8, 8, 8], [2]]
    assert all(row[0] == 2 and row[-1] == 3 for _, rows in found for row in rows)
    assert tokenizer.longest == 8 + 2 * 3


def test_windows_come_back_from_disk(tmp_path):
    offsets, values = pack([[1, 2], [3], [4, 5, 6]])
    rows = EncodedRows(np.array([0, 1], dtype=np.int32), offsets, values, texts=np.array([0, 2, 3]))
    write_rows(tmp_path / "x.arrow", ["a", "b"], rows)
    found = read_rows(tmp_path / "x.arrow")
    assert len(found) == 2
    assert found.lengths.tolist() == [3, 3]
    assert found.row_lengths.tolist() == [2, 1, 3]
    positions, counts = found.rows_of(np.array([1, 0]))
    assert (positions.tolist(), counts) == ([2, 0, 1], [1, 2])
    assert [found.row(i).tolist() for i in positions] == [[4, 5, 6], [1, 2], [3]]


def test_the_report_counts_windows_and_what_is_cut(tmp_path):
    labels = {"negative": BAD, "neutral": NEUTRAL, "positive": GOOD}
    dataset = corpus.read_dataset(write_parts(tmp_path / "p", {"train": 60, "validation": 9, "test": 9}, labels))
    lengths = [len(text) + 2 for text in dataset.texts("train")]
    assert max(lengths) > 24, "the corpus has long texts"
    options = Tokens(kind="tokens", max_tokens=12, keep="windows", stride=5, most_windows=3)
    report = corpus.encode_tokens(options, dataset, tmp_path / "e")["train"]
    assert report["cut_share"] == pytest.approx(sum(length > 22 for length in lengths) / 60)
    expected = [1 if length <= 12 else 2 if length <= 17 else 3 for length in lengths]
    assert report["windows"] == {
        "windows": sum(expected), "most": 3, "several_share": pytest.approx(sum(n > 1 for n in expected) / 60)
    }  # fmt: skip
    assert "windows" not in corpus.encode_tokens(Tokens(kind="tokens"), dataset, tmp_path / "whole")["train"]
    stored = read_rows(tmp_path / "e" / "train.arrow")
    assert np.diff(stored.texts).tolist() == expected


def test_a_stride_beyond_the_window_is_refused():
    with pytest.raises(ValidationError, match="leaves gaps"):
        Tokens(kind="tokens", max_tokens=64, stride=64, keep="windows")
