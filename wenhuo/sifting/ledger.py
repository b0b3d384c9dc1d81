"""The first pass over a corpus: its texts are cleaned into a scratch file, and a few numbers of each row are kept.

A row costs 60 bytes while they are gathered and 29 afterwards; a text costs memory only while its row group is read.
Texts are compared by 128-bit hashes (BLAKE2b, so that nobody makes two texts collide), which are then numbered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from wenhuo.console import track
from wenhuo.errors import DataError
from wenhuo.sifting.gathering import Groups
from wenhuo.splits import SPLITS
from wenhuo.tables import ahead
from wenhuo.text.cleaning import Cleaning, plan
from wenhuo.text.columns import clean_column
from wenhuo.text.keys import loose_keys

Split = pl.Enum(SPLITS)
CLEANED = pa.schema([("cleaned", pa.large_string())])

COLUMNS = ("id", "text", "label", "split", "origin", "row", "source")
"""The columns of a corpus."""

_READ = COLUMNS[:-1]
_KEY_BYTES = 16
_BLANK = np.frombuffer(blake2b(b"", digest_size=_KEY_BYTES).digest(), dtype=np.uint64)
_KEPT = ("place", "split", "label", "as_read", "key", "size")


@dataclass(frozen=True)
class Ledger:
    """What is remembered of the rows, by origin, row and id, whatever order they came in.

    Attributes:
        rows: ``id`` (0, 1, 2 …: the row's number here), ``place`` (its number in the corpus), ``split``, ``label``
            (its number in ``labels``), ``as_read`` and ``key`` (numbers that stand for the text as read and for the
            cleaned one, white space aside; null for a blank one) and ``size`` (bytes of the text as read).
        labels: the labels as read, sorted.
        named: place of each row whose id was asked for and found.
        changed: how many texts changed (``texts``), and how many each step changed.
    """

    rows: pl.DataFrame
    labels: list[str]
    named: dict[str, int]
    changed: dict[str, int]


def keep_ledger(corpus: Path, steps: Cleaning, cleaned: Path, ids: Iterable[str] = ()) -> Ledger:
    """Read a corpus once, clean its texts, and remember what the rules need.

    Args:
        corpus: a Parquet file with the columns of a corpus.
        steps: of cleaning.
        cleaned: the scratch file to write: for each row of the corpus its cleaned text, null where it is as read.
        ids: rows to be found.

    Raises:
        DataError: the corpus lacks a column.
    """
    wanted = list(ids)
    _check(corpus)
    columns, named = [_columns(_nothing())], dict[str, int]()
    counts, texts_changed = Counter[str](), 0
    with Groups(corpus, _READ) as groups, pq.ParquetWriter(cleaned, CLEANED, compression="lz4") as writer:
        place = 0
        for read in track(ahead(groups.every()), "clean: chunks of rows", len(groups.rows)):
            rows = read.with_columns(pl.col("text").fill_null(""))
            texts, counted = clean_column(rows["text"], steps)
            changed = texts != rows["text"]
            writer.write_table(_arrow(texts, changed))
            columns.append(_columns(rows, texts, changed))
            counts += counted
            texts_changed += int(changed.sum())
            if wanted:
                met = rows.with_row_index("place", place).filter(pl.col("id").is_in(wanted))
                named |= dict(met.select("id", "place").iter_rows())
            place += rows.height
    rows, labels = _arranged(pl.concat(columns), corpus)
    return Ledger(
        rows, labels, named, {"texts": texts_changed} | {name: counts[name] for name, _ in plan(steps).active}
    )


def _check(corpus: Path) -> None:
    lacking = [name for name in COLUMNS if name not in pq.read_schema(corpus).names]
    if lacking:
        raise DataError(f"{corpus} lacks {', '.join(lacking)}", "run the stage ingest again")


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(_READ, pl.String) | {"row": pl.Int64})


def _arrow(texts: pl.Series, changed: pl.Series) -> pa.Table:
    """The texts that changed, the others as nulls."""
    few = pl.DataFrame({"cleaned": texts}).select(pl.when(changed).then("cleaned").alias("cleaned"))
    return few.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(CLEANED)


def _columns(rows: pl.DataFrame, texts: pl.Series | None = None, changed: pl.Series | None = None) -> pl.DataFrame:
    """The few columns that are kept of a chunk."""
    as_read = _hashes(rows["text"])
    key = as_read.copy()
    if texts is not None and changed is not None and changed.any():
        key[changed.to_numpy()] = _hashes(texts.filter(changed))
    hashes = {
        f"{name}_{half}": values[:, half] for name, values in (("as_read", as_read), ("key", key)) for half in (0, 1)
    }
    return rows.select(
        pl.col("split").cast(Split),
        pl.col("label", "origin").cast(pl.Categorical),
        pl.col("row"),
        pl.col("text").str.len_bytes().alias("size"),
    ).with_columns(pl.Series(name, values) for name, values in hashes.items())


def _hashes(texts: pl.Series) -> NDArray[np.uint64]:
    """The 128-bit hash of each text without its white space, shape (n, 2)."""
    keys = texts.to_frame("text").select(loose_keys(pl.col("text")).cast(pl.Binary))["text"]
    digests = b"".join(blake2b(key, digest_size=_KEY_BYTES).digest() for key in keys.to_list())
    return np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)


def _arranged(rows: pl.DataFrame, corpus: Path) -> tuple[pl.DataFrame, list[str]]:
    """The rows in their order, with numbers in place of hashes and labels; and the labels."""
    labels = sorted(rows["label"].cast(pl.String).unique().drop_nulls())
    origins = pl.Enum(sorted(rows["origin"].cast(pl.String).unique().drop_nulls()))
    rows = rows.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"),
        pl.col("split"),
        pl.col("label").cast(pl.String).cast(pl.Enum(labels)).to_physical().cast(pl.UInt32),
        pl.col("origin").cast(pl.String).cast(origins).to_physical(),
        pl.col("row", "size"),
        _numbered(rows, "as_read"),
        _numbered(rows, "key"),
    ).sort("origin", "row", maintain_order=True)
    if rows.select(pl.struct("origin", "row").is_duplicated().any()).item():
        with Groups(corpus, ("id",)) as groups:
            ids = groups.take(rows["place"].to_numpy().astype(np.int64))["id"]
        rows = rows.with_columns(ids).sort("origin", "row", "id")
    return rows.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("id"), *_KEPT), labels


def _numbered(rows: pl.DataFrame, name: str) -> pl.Series:
    """A number for each hash, the same for equal ones; null for that of a blank text."""
    first, second = (rows[f"{name}_{half}"].to_numpy() for half in (0, 1))
    order = np.argsort(first)
    new = np.diff(first[order], prepend=first[order][:1]) != 0
    if (~new[1:] & (np.diff(second[order]) != 0)).any():  # halves of different hashes agree: never yet, but possible
        order = np.lexsort((second, first))
        new = (np.diff(first[order], prepend=first[order][:1]) != 0) | (
            np.diff(second[order], prepend=second[order][:1]) != 0
        )
    numbers = np.empty(len(order), dtype=np.uint32)
    numbers[order] = np.cumsum(new)
    blank = (first == _BLANK[0]) & (second == _BLANK[1])
    return pl.Series(name, numbers).set(pl.Series(blank), None)
