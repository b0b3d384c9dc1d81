"""Reading what a division needs of the cleaned rows, and writing the parts; memory follows a chunk of the corpus.

Rows are sorted by id without being held all at once: ids are hexadecimal hashes, spread evenly, so their first digit
puts rows into sixteen piles in order; each is sorted by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from wenhuo.console import track
from wenhuo.errors import DataError
from wenhuo.splits import SPLITS
from wenhuo.splitting.division import Division, places
from wenhuo.tables import ahead

COLUMNS = ("id", "text", "label", "leaked", "origin", "row", "source", "cluster")
"""What a part holds of each row."""

READ = (*COLUMNS, "split")

REPEATED = ("label", "origin", "source", "cluster")
"""Columns with few different values, which a file holds once."""

CHUNK = 100_000
"""Rows held at once while reading: some 30 MB of short texts."""

PILED = 500_000
"""With fewer rows one pile does."""

DIGITS = "0123456789abcdef"


@dataclass(frozen=True)
class Parts:
    """What was written.

    Attributes:
        rows: of each split.
        hash: SHA-256 over the ids of each split in order, one a line.
        removed: the rows that were set aside: ``id``, ``text``, ``label``, ``split`` (where it would have stood),
            ``origin``, ``row``, ``source``, ``reason`` and ``of`` (its cluster), sorted by id.
    """

    rows: dict[str, int]
    hash: dict[str, str]
    removed: pl.DataFrame


def read_narrow(cleaned: Path, seed: int) -> pl.DataFrame:
    """Of each cleaned row, in order, what decides where it goes: ``place``, ``label``, ``split``, ``cluster``.

    Raises:
        DataError: the file lacks a column.
    """
    lacking = sorted(set(READ).difference(pq.read_schema(cleaned).names))
    if lacking:
        raise DataError(f"{cleaned} lacks {', '.join(lacking)}", "run the stage clean again")
    narrow = [_narrow(pl.DataFrame(schema=dict.fromkeys(("text", "label", "split", "cluster"), pl.String)), seed)]
    chunks = ahead(_chunks(cleaned, ("text", "label", "split", "cluster")))
    narrow += [_narrow(chunk, seed) for chunk in chunks]
    return pl.concat(narrow)


def _narrow(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    few = rows.select(pl.col("label", "split", "cluster").cast(pl.String).cast(pl.Categorical))
    return few.with_columns(places(rows["text"].fill_null(""), seed))


def _chunks(path: Path, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    with pq.ParquetFile(path) as file:
        batches, total = file.iter_batches(CHUNK, columns=list(columns)), -(-file.metadata.num_rows // CHUNK)
        for batch in track(batches, f"split: reading {path.name}, chunks of {CHUNK:,} rows", total):
            yield pl.DataFrame(batch).select(columns)


def write_parts(cleaned: Path, division: Division, folder: Path) -> Parts:
    """Write a Parquet file for each split, sorted by id.

    Args:
        cleaned: the rows that were divided.
        division: where each goes, in their order.
        folder: an existing, empty one.
    """
    piles = DIGITS if division.split.len() >= PILED else ""
    removed = _pile_up(cleaned, division, folder, piles)
    rows, hashes = {}, {}
    for split in SPLITS:
        rows[split], hashes[split] = _write(
            folder / f"{split}.parquet", [folder / name for name in _names(split, piles)]
        )
    return Parts(rows, hashes, removed)


def _pile_up(cleaned: Path, division: Division, folder: Path, piles: str) -> pl.DataFrame:
    """Put every row on its pile, a file each; return those that were set aside."""
    removed, start = [_arrow(_aside(_empty().with_columns(home=pl.lit(None, pl.String))))], 0
    with ExitStack() as stack:
        schema = _arrow(_empty().select(COLUMNS)).schema
        names = [name for split in SPLITS for name in _names(split, piles)]
        files = {name: stack.enter_context(pa.ipc.new_stream(folder / name, schema)) for name in names}
        for chunk in ahead(_chunks(cleaned, READ)):
            here = slice(start, start := start + chunk.height)
            chunk = chunk.cast(_empty().schema).with_columns(
                division.split[here].cast(pl.String).alias("split"), division.home[here].cast(pl.String).alias("home")
            )
            removed.append(_arrow(_aside(chunk)))  # copied: a polars filter would keep the whole chunk's texts alive
            pile = pl.col("split") + (pl.col("id").str.slice(0, 1) if piles else pl.lit(""))
            staying = chunk.filter(pl.col("home").is_null()).with_columns(pile=pile)
            for (name,), rows in staying.partition_by("pile", as_dict=True, include_key=False).items():
                files[f"{name}.pile"].write_table(_arrow(rows.select(COLUMNS)))
    return pl.DataFrame(pa.concat_tables(removed)).sort("id", "origin", "row")


def _names(split: str, piles: str) -> list[str]:
    """The files of a split's piles, in the order of the ids in them."""
    return [f"{split}{digit}.pile" for digit in piles or ("",)]


def _empty() -> pl.DataFrame:
    kinds: Mapping[str, pl.DataType] = {"leaked": pl.Boolean(), "row": pl.Int64()}
    return pl.DataFrame(schema={name: kinds.get(name, pl.String()) for name in READ})


def _aside(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that were set aside, with the reason."""
    return rows.filter(pl.col("home").is_not_null()).select(
        *("id", "text", "label", "split", "origin", "row", "source"),
        ("nearly stands in " + pl.col("home")).alias("reason"),
        pl.col("cluster").alias("of"),
    )


def _write(target: Path, piles: list[Path]) -> tuple[int, str]:
    """Sort each pile and write one after the other; return the rows and the hash of their ids."""
    rows, hashed = 0, sha256()
    schema = _arrow(_empty().select(COLUMNS)).schema
    with pq.ParquetWriter(target, schema, compression="zstd", use_dictionary=list(REPEATED)) as writer:
        for pile, ids in ahead(_sorted(path) for path in piles):
            if pile.num_rows:
                writer.write_table(pile)
                hashed.update((b"\n" if rows else b"") + ids)
                rows += pile.num_rows
    return rows, hashed.hexdigest()


def _sorted(path: Path) -> tuple[pa.Table, bytes]:
    """A pile's rows in order, and their ids, one a line; its file is deleted."""
    with pa.ipc.open_stream(path) as stream:
        pile = pl.DataFrame(stream.read_all()).sort("id", "origin", "row")
    path.unlink()
    return _arrow(pile), pile["id"].str.join("\n").item().encode()


def _arrow(rows: pl.DataFrame) -> pa.Table:
    return rows.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
