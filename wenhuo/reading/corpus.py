"""The corpus: a Parquet file of labelled texts with stable row ids, written batch by batch; and the rejected rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from wenhuo.reading.records import Chunk, Rejected

ID_BYTES = 16
BATCH_ROWS = 1 << 15
BATCH_CHARACTERS = 1 << 24

CORPUS = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("origin", pa.string()),
        ("row", pa.int64()),
        ("source", pa.string()),
    ]
)
REJECTED = pa.schema(
    [
        ("origin", pa.string()),
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("content", pa.string()),
        ("source", pa.string()),
    ]
)


class RowIds:
    """Ids of rows: the BLAKE2b-128 of text, label and the how-manieth such row it is, in hexadecimal.

    So an id neither depends on file names nor on the order of rows, and rows that are added change no other's id. To
    know which rows repeat one, eight bytes a row are kept, in sorted runs whose lengths halve (a log-structured merge).
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
        self._repeats: dict[bytes, int] = {}

    def take(self, texts: Sequence[str], labels: Sequence[str]) -> list[str]:
        """The ids of the next rows."""
        hashed = partial(hashlib.blake2b, digest_size=ID_BYTES)
        digests = [hashed(f"{label}\0{text}".encode()).digest() for text, label in zip(texts, labels, strict=True)]
        keys = np.frombuffer(b"".join(digests), dtype="<u8")[::2].astype(np.uint64)
        for place in np.flatnonzero(self._seen(keys)):
            digest = digests[place]
            count = self._repeats[digest] = self._repeats.get(digest, 0) + 1
            digests[place] = hashed(digest + count.to_bytes(8, "little")).digest()
        written, step = b"".join(digests).hex(), 2 * ID_BYTES
        return [written[at : at + step] for at in range(0, len(written), step)]

    def _seen(self, keys: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which of these keys came before, in an earlier call or earlier in this one; remembers them all."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        repeated = np.zeros(len(keys), dtype=np.bool_)
        repeated[1:] = ordered[1:] == ordered[:-1]
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, ordered), len(run) - 1)
            repeated |= run[places] == ordered
        fresh = ordered[~repeated]
        while self._runs and len(self._runs[-1]) <= 2 * len(fresh):
            fresh = np.sort(np.concatenate([self._runs.pop(), fresh]), kind="stable")  # timsort merges sorted runs
        if len(fresh):
            self._runs.append(fresh)
        seen = np.empty_like(repeated)
        seen[order] = repeated
        return seen


class CorpusWriter:
    """Collects chunks and writes them in row groups, whose bounds follow from the rows alone.

    A thread writes one row group while the next is collected: a sixth of the time of a large corpus.

    Args:
        path: the Parquet file to write.
        metadata: the corpus's description, kept under the schema's key ``wenhuo``.
    """

    def __init__(self, path: Path, metadata: Mapping[str, Any]) -> None:
        schema = CORPUS.with_metadata({b"wenhuo": orjson.dumps(metadata)})
        repeating = ["label", "split", "origin", "source"]
        self._writer = pq.ParquetWriter(
            path, schema, compression="zstd", use_dictionary=repeating, write_statistics=[*repeating, "row"]
        )
        self._thread = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
        self._ids = RowIds()
        self._tables: list[pa.Table] = []
        self._rows = self._characters = 0

    def add(self, chunk: Chunk, split: str | None, origin: str, source: str) -> None:
        """Add the sound rows of a chunk, read from the file ``origin`` of the source ``source``."""
        count = len(chunk.texts)
        columns = [
            _strings(self._ids.take(chunk.texts, chunk.labels)),
            _strings(chunk.texts),
            _strings(chunk.labels),
            _repeated(split, count) if split else pa.nulls(count, pa.string()),
            _repeated(origin, count),
            _numbers(chunk.rows),
            _repeated(source, count),
        ]
        self._tables.append(pa.table(columns, schema=CORPUS))
        self._rows += count
        self._characters += columns[1].nbytes
        if self._rows >= BATCH_ROWS or self._characters >= BATCH_CHARACTERS:
            self._flush()

    def __enter__(self) -> CorpusWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self._flush()
                self._wait()
        finally:
            self._thread.shutdown()
            self._writer.close()

    def _flush(self) -> None:
        self._wait()
        if self._rows:
            self._writing = self._thread.submit(self._write, self._tables, self._rows)
        self._tables, self._rows, self._characters = [], 0, 0

    def _write(self, tables: list[pa.Table], rows: int) -> None:
        self._writer.write_table(pa.concat_tables(tables).combine_chunks(), row_group_size=rows)

    def _wait(self) -> None:
        """Until what is being written is written; what went wrong with it is raised here."""
        if self._writing is not None:
            self._writing.result()


@contextmanager
def rejected_writer(path: Path) -> Iterator[Any]:
    """Yield a function that writes rejected rows: ``write(origin, source, rows)``; without any the table is empty."""
    with pq.ParquetWriter(path, REJECTED, compression="zstd") as writer:

        def write(origin: str, source: str, rows: Sequence[Rejected]) -> None:
            if rows:
                numbers, reasons, contents = zip(*rows, strict=True)
                files, sources = _repeated(origin, len(rows)), _repeated(source, len(rows))
                columns = [files, _numbers(numbers), _strings(reasons), _strings(contents), sources]
                writer.write_batch(pa.record_batch(columns, schema=REJECTED))

        yield write


def _strings(values: Sequence[str]) -> Any:
    """An Arrow array; ``pa.array`` would import pandas, two seconds of processor time for nothing this needs."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def _repeated(value: str, count: int) -> Any:
    """An Arrow array of one text, ``count`` times."""
    data = value.encode()
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(data))
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data * count))


def _numbers(values: Sequence[int]) -> Any:
    return pa.Int64Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.array(values, dtype=np.int64))])
