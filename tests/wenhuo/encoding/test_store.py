"""Encoded rows come back as they were written, mapped and not copied."""

import numpy as np
import pyarrow as pa
import pytest

from wenhuo.encoding.store import EncodedRows, read_rows, write_rows


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_rows_come_back_without_a_copy(tmp_path, random_numbers, windows, count):
    sizes = random_numbers.integers(1, 60, 2 * count)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    values = random_numbers.integers(0, 9000, offsets[-1]).astype(np.int32)
    texts = np.arange(0, 2 * count + 1, 2) if windows else None
    labels = np.arange(count if windows else 2 * count, dtype=np.int32)
    write_rows(tmp_path / "rows.arrow", [str(i) for i in labels], EncodedRows(labels, offsets, values, texts=texts))
    before = pa.total_allocated_bytes()
    found = read_rows(tmp_path / "rows.arrow")
    assert pa.total_allocated_bytes() - before < 0.05 * values.nbytes + 4096
    assert np.array_equal(found.labels, labels)
    assert np.array_equal(found.offsets, offsets)
    assert np.array_equal(found.values, values)
    assert texts is None or np.array_equal(found.texts, texts)
