"""Encoded rows on disk: one Arrow file a split, memory-mapped when read.

Columns: ``id`` (string), ``label`` (int32, position in the label list), ``values`` (list of int32: token ids, or
positions of n-grams); for n-grams ``weights`` (list of float32, as long as ``values``); for texts in windows
``windows`` (list of int32: how many of the values each window has).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wenhuo.errors import DataError
from wenhuo.files import whole


@dataclass(frozen=True)
class EncodedRows:
    """Texts as rows of varying length in flat arrays: one row a text, or one a window.

    Attributes:
        labels: of the texts, shape (n,), int32.
        offsets: shape (rows + 1,), int64; row i is ``values[offsets[i]:offsets[i + 1]]``.
        values: shape (m,), int32.
        weights: shape (m,), float32, or None for tokens.
        texts: shape (n + 1,), int64; text i has the rows ``texts[i]`` to ``texts[i + 1]``. None: text i is row i.
    """

    labels: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    values: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32] | None = None
    texts: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Values of each text, shape (n,)."""
        return np.diff(self.offsets if self.texts is None else self.offsets[self.texts])

    @property
    def row_lengths(self) -> npt.NDArray[np.int64]:
        """Values in each row, shape (rows,)."""
        return np.diff(self.offsets)

    def row(self, index: int) -> npt.NDArray[np.int32]:
        """The values of one row."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def rows_of(self, texts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], list[int] | None]:
        """The positions of the rows of some texts, and how many each text has (None: one each)."""
        if self.texts is None:
            return texts, None
        spans = [np.arange(self.texts[i], self.texts[i + 1]) for i in texts]
        return np.concatenate(spans), [len(span) for span in spans]


def pack(rows: Iterable[list[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Offsets and flat values of rows of varying length."""
    kept = [np.asarray(row, dtype=np.int32) for row in rows]
    offsets = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in kept], out=offsets[1:])
    return offsets, np.concatenate(kept) if kept else np.zeros(0, dtype=np.int32)


def write_rows(target: Path, ids: list[str], rows: EncodedRows) -> None:
    """Write an Arrow file, whole or not at all."""
    bounds = rows.offsets if rows.texts is None else rows.offsets[rows.texts]
    columns = {
        "id": pa.array(ids, pa.string()),
        "label": pa.array(rows.labels, pa.int32()),
        "values": pa.LargeListArray.from_arrays(bounds, pa.array(rows.values, pa.int32())),
    }
    if rows.texts is not None:
        sizes = pa.array(rows.row_lengths.astype(np.int32), pa.int32())
        columns["windows"] = pa.LargeListArray.from_arrays(rows.texts, sizes)
    if rows.weights is not None:
        columns["weights"] = pa.LargeListArray.from_arrays(rows.offsets, pa.array(rows.weights, pa.float32()))
    table = pa.table(columns)
    with whole(target) as path, pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def read_rows(path: Path) -> EncodedRows:
    """Map an Arrow file into memory; nothing is copied.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} cannot be read as encoded rows: {error}", "run `dvc repro encode`") from None
    column = _mapped(table, "values")
    weights = _mapped(table, "weights").values.to_numpy() if "weights" in table.column_names else None
    offsets, texts = column.offsets.to_numpy(), None
    if "windows" in table.column_names:
        windows = _mapped(table, "windows")
        texts = windows.offsets.to_numpy()
        offsets = np.concatenate([[0], np.cumsum(windows.values.to_numpy(), dtype=np.int64)])
    labels = _mapped(table, "label").to_numpy()
    return EncodedRows(labels, offsets, column.values.to_numpy(), weights, texts)


def _mapped(table: pa.Table, name: str) -> Any:
    """A column as one array; ``combine_chunks`` would copy even a single chunk into memory."""
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def read_ids(path: Path) -> list[str]:
    """The ids of the texts in an Arrow file that :func:`write_rows` wrote, in its order."""
    with pa.memory_map(str(path)) as file:
        ids: list[str] = pa.ipc.open_file(file).read_all().column("id").to_pylist()
    return ids
