"""From a corpus, small measured columns: numbers and flags of each row, and no text.

The texts pass through in batches and are not kept. What stays is about 40 bytes a row: at 5 million rows 0.2 GB.
:data:`wenhuo.validation.columns.COLUMNS` says what the columns mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from wenhuo.sifting.duplicates import LEARNT
from wenhuo.splits import SPLITS
from wenhuo.tables import abreast
from wenhuo.text.html import without_html
from wenhuo.text.keys import SPACE, loose_keys
from wenhuo.validation.columns import COLUMNS
from wenhuo.validation.scan import (
    CODES,
    MARKUP,
    MISREAD,
    REPLACEMENT,
    SPACES,
    UNSEEN_MARKS,
    VISIBLE,
    Counts,
    Flags,
    Scanned,
    scan,
)

CORPUS_FIELDS: dict[str, str] = {
    "id": "String",
    "text": "String",
    "label": "String",
    "split": "String",
    "origin": "String",
    "row": "Int64",
    "source": "String",
}
PLACE = ("id", "origin", "row")
READ = ("id", "text", "label", "split", "source")
BATCH_ROWS = 1 << 15

# UTF-8 read as Latin-1 or Windows-1252 leaves pairs like å¥½; U+FFFD saved as UTF-8 and read as GBK leaves 锟斤拷.
MOJIBAKE = r"锟斤拷|(?:[Ã-ô][\u{80}-\u{bf}ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]{1,2}){2}"


@dataclass(frozen=True)
class Measures:
    """What is known of a corpus without its texts.

    Attributes:
        rows: one row a row of the corpus, in its order; the columns of :data:`wenhuo.validation.columns.COLUMNS`.
        labels: one row a label: ``label``, ``rows``, ``share`` of all rows, and what the label's flags are made of.
        copies: the rows whose text stands in another row as well: ``position`` in ``rows``, ``key`` (equal for equal
            texts, white space aside), ``label``, ``split``.
        characters: how often each character occurs, by code point.
    """

    rows: pl.DataFrame
    labels: pl.DataFrame
    copies: pl.DataFrame
    characters: Counts


def measure_fields(corpus: Path) -> pl.DataFrame:
    """For each field that a corpus must have: its name, ``field``, and is it there with its type, ``fits``."""
    kinds = {name: str(kind) for name, kind in pl.read_parquet_schema(corpus).items()}
    fits = [kinds.get(name) == kind for name, kind in CORPUS_FIELDS.items()]
    return pl.DataFrame({"field": list(CORPUS_FIELDS), "fits": fits})


def measure_declared(labels: pl.DataFrame, label_order: Sequence[str] | None) -> pl.DataFrame:
    """For each declared label its ``rows``, from the table of the labels that there are."""
    declared = pl.DataFrame({"label": list(label_order or [])}, schema={"label": pl.String})
    counts = labels.select(pl.col("label").cast(pl.String), "rows")
    return declared.join(counts, on="label", how="left", maintain_order="left").with_columns(
        pl.col("rows").fill_null(0)
    )


def measure(corpus: Path, label_order: Sequence[str] | None = None) -> Measures:
    """Measure a corpus.

    A field that the corpus lacks counts as a field of nulls, so that the rest can still be measured.

    Args:
        corpus: a Parquet file with the columns of :data:`CORPUS_FIELDS`.
        label_order: the declared label names, if there are any.
    """
    file = pq.ParquetFile(corpus)
    known = [name for name in READ if name in file.schema_arrow.names]
    empty = pl.DataFrame(schema=dict.fromkeys(known, pl.String))
    batches = (pl.DataFrame(batch) for batch in (file.iter_batches(BATCH_ROWS, columns=known) if known else ()))
    counts: Counts = np.zeros(CODES, dtype=np.int64)
    tables = []
    for table, found in abreast(_measured, chain([empty], batches)):
        tables.append(table)
        counts[: len(found)] += found
    rows = pl.concat(tables)
    rows = rows.with_columns(_repeated("identity").alias("id_repeated")).drop("identity")
    labels, copies = _labels(rows, label_order), _copies(rows)
    rows = rows.drop("key").with_columns(
        pl.Series(name, flag) for name, flag in _copy_flags(copies, rows.height).items()
    )
    return Measures(_with_label_columns(rows, labels), labels, copies, counts)


def _measured(batch: pl.DataFrame) -> tuple[pl.DataFrame, Counts]:
    """The columns that follow from a row alone, and how often each character occurs.

    With the columns come ``identity`` and ``key``, which stand for a row's id and its text. They are 64 bits wide:
    among 5 million rows, two different texts share a key with probability 7e-7.
    """
    batch = batch.select(
        pl.col(name).cast(pl.String, strict=False) if name in batch.columns else pl.lit(None, pl.String).alias(name)
        for name in READ
    )
    split = pl.col("split")
    label = pl.when(pl.col("label").str.contains(f"[^{SPACE}]")).then(pl.col("label"))
    named = batch.select(
        label.cast(pl.Categorical),
        split.cast(pl.Categorical),
        pl.col("source").cast(pl.Categorical),
        pl.when(pl.col("id").is_not_null()).then(pl.col("id").hash()).alias("identity"),
        pl.col("id").is_null().alias("id_missing"),
        pl.col("text").is_null().alias("text_missing"),
        label.is_null().alias("label_missing"),
        (split.is_not_null() & ~split.is_in(SPLITS)).alias("split_unknown"),
    )
    texts = batch["text"].fill_null("")
    scanned = scan(texts)
    return named.hstack(_text_columns(texts, scanned)), scanned.counts


def _text_columns(texts: pl.Series, scanned: Scanned) -> pl.DataFrame:
    filled = scanned.characters - scanned.spaces
    columns = {
        "characters": pl.Series(scanned.characters, dtype=pl.Int32),
        "chinese_share": scanned.ideographs / np.maximum(filled, 1),
        "is_blank": ~scanned.holds(VISIBLE),
        "has_html": _where(scanned.holds(MARKUP), texts, _hold_html),
        "has_controls": scanned.holds(UNSEEN_MARKS),
        "has_replacement_character": scanned.holds(REPLACEMENT),
        "has_mojibake": _where(scanned.holds(MISREAD), texts, lambda some: some.str.contains(MOJIBAKE)),
        "key": _keys(texts, scanned.holds(SPACES)),
    }
    nothing = pl.Series(filled == 0)
    return pl.DataFrame(columns).with_columns(
        pl.when(~nothing).then(pl.col("chinese_share").cast(pl.Float32)).alias("chinese_share"),
        pl.when(~nothing).then("key").alias("key"),
    )


def _where(doubtful: Flags, texts: pl.Series, test: Callable[[pl.Series], pl.Series]) -> Flags:
    """The doubtful texts that pass a test which is too slow for all."""
    found = doubtful.copy()
    if doubtful.any():
        found[doubtful] = test(texts.filter(pl.Series(doubtful))).to_numpy()
    return found


def _hold_html(texts: pl.Series) -> pl.Series:
    """Would cleaning find tags or entities?"""
    return texts.map_elements(lambda text: without_html(text) != text, return_dtype=pl.Boolean)


def _keys(texts: pl.Series, spaced: Flags) -> pl.Series:
    """Hashes of the texts without white space; only what has some is rewritten."""
    keys = texts.hash().to_numpy(writable=True)
    if spaced.any():
        keys[spaced] = (
            texts.filter(pl.Series(spaced)).to_frame("text").select(loose_keys(pl.col("text")).hash())["text"]
        )
    return pl.Series(keys)


def _copies(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose text stands in another row as well; blank texts are copies of nothing."""
    places = pl.int_range(pl.len(), dtype=pl.UInt32).alias("position")
    return rows.select(places, "key", "label", "split").filter(_repeated("key"))


def _repeated(column: str) -> pl.Expr:
    return pl.col(column).is_duplicated() & pl.col(column).is_not_null()


def _copy_flags(copies: pl.DataFrame, height: int) -> dict[str, Flags]:
    """For all rows, the flags of those whose text stands elsewhere."""
    split, code = pl.col("split"), pl.col("label").to_physical()
    groups = copies.group_by("key").agg(
        learnt=LEARNT.any(), validation=(split == "validation").any(), contradicts=code.min() != code.max()
    )
    found = copies.join(groups, on="key", how="left", maintain_order="left").select(
        "position",
        repeats_earlier=~pl.struct("split", "key").is_first_distinct(),
        validation_in_train=(split == "validation") & pl.col("learnt"),
        test_in_train=(split == "test") & pl.col("learnt"),
        test_in_validation=(split == "test") & pl.col("validation"),
        contradicts=pl.col("contradicts"),
    )
    flags = {name: np.zeros(height, dtype=np.bool_) for name in found.columns[1:]}
    for name, flag in flags.items():
        flag[found["position"].filter(found[name].fill_null(value=False)).to_numpy()] = True
    return flags


def _labels(rows: pl.DataFrame, label_order: Sequence[str] | None) -> pl.DataFrame:
    """One row a label: its rows, its share, and what is to be said of it."""
    split, name = pl.col("split"), pl.col("label").cast(pl.String)
    present = [part for part in SPLITS if (rows["split"] == part).any()]
    counts = rows.filter(pl.col("label").is_not_null()).group_by("label", maintain_order=True)
    table = counts.agg(
        pl.len().cast(pl.Int64).alias("rows"),
        LEARNT.any().alias("learnt"),
        *((split == part).any().fill_null(value=False).alias(part) for part in present),
    )
    folded = loose_keys(name.str.normalize("NFKC")).str.to_lowercase()
    return table.select(
        "label",
        "rows",
        "learnt",
        (pl.col("rows") / max(rows.height, 1)).alias("share"),
        pl.all_horizontal(pl.lit(value=True), *present).not_().alias("label_not_in_all"),
        folded.is_duplicated().alias("label_has_twin"),
        (pl.lit(value=False) if label_order is None else ~name.is_in(list(label_order))).alias("label_undeclared"),
    )


def _with_label_columns(rows: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    joined = rows.join(labels, on="label", how="left", maintain_order="left")
    untaught = pl.col("split").is_in(["validation", "test"]) & ~pl.col("learnt")
    flags = (pl.col(name) for name in ("label_not_in_all", "label_has_twin", "label_undeclared"))
    return joined.with_columns(
        untaught.fill_null(value=False).alias("label_not_in_train"),
        pl.col("rows").cast(pl.Int32).alias("label_rows"),
        pl.col("share").cast(pl.Float32).alias("label_share"),
        *(flag.fill_null(value=False) for flag in flags),
    ).select(*COLUMNS)
