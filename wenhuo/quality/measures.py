"""From a corpus, a table of small measured columns: numbers and flags of each row, and no text.

The texts pass through in batches and are not kept, so that a million rows need a few hundred megabytes.

=========================  =============================================================================
``id`` ``label`` ``split``  as in the corpus; a label of nothing but white space is null
``origin`` ``row``          where the row came from
``key``                     stands for the text without white space; "" for a blank one
``characters``              of the text as read
``chinese_share``           of the characters that are not white space, 0 to 1; null for a blank text
``text_missing``            there is no text at all
``is_blank``                nothing but white space and unseen marks
``has_…``                   ``html``, ``controls``, ``replacement_character``, ``mojibake``
``repeats_earlier``         an earlier row of the same split has the same text
``test_in_train`` …         likewise ``validation_in_train``, ``test_in_validation``; rows of no split count as train
``contradicts``             the same text bears another label somewhere in the corpus
``label_rows``              rows with the row's label; ``label_share``: of all rows, 0 to 1
``label_not_in_train``      a row of validation or test whose label train lacks
``label_not_in_all``        a row whose label one of the splits lacks
``label_has_twin``          another label differs only by width, case or white space
``label_undeclared``        not among the declared label names
=========================  =============================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wenhuo.quality.duplicates import LEARNT
from wenhuo.text.html import without_html
from wenhuo.text.keys import CHINESE, SPACE, loose_keys

SPLITS = ("train", "validation", "test")
CORPUS_FIELDS: dict[str, str] = {
    "id": "String",
    "text": "String",
    "label": "String",
    "split": "String",
    "origin": "String",
    "row": "Int64",
}
PLACE = ("id", "origin", "row")

# Control characters but tab and line ends, the soft hyphen, zero-width and bidirectional marks. Not the two joiners
# U+200C and U+200D: emoji and several scripts are spelled with them.
UNSEEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u{ad}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}"
    r"\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}"
)

# UTF-8 read as Latin-1 or Windows-1252 leaves pairs like å¥½; U+FFFD saved as UTF-8 and read as GBK leaves 锟斤拷.
MOJIBAKE = r"锟斤拷|(?:[Ã-ô][\u{80}-\u{bf}ŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]{1,2}){2}"


def measure_fields(corpus: Path) -> pl.DataFrame:
    """For each field that a corpus must have: its name, ``field``, and is it there with its type, ``fits``."""
    kinds = {name: str(kind) for name, kind in pl.read_parquet_schema(corpus).items()}
    fits = [kinds.get(name) == kind for name, kind in CORPUS_FIELDS.items()]
    return pl.DataFrame({"field": list(CORPUS_FIELDS), "fits": fits})


def measure_declared(table: pl.DataFrame, label_order: Sequence[str] | None) -> pl.DataFrame:
    """For each declared label its ``rows`` in the measured table."""
    declared = pl.DataFrame({"label": list(label_order or [])}, schema={"label": pl.String})
    counts = table.group_by("label").agg(pl.len().cast(pl.Int64).alias("rows"))
    return declared.join(counts, on="label", how="left", maintain_order="left").with_columns(
        pl.col("rows").fill_null(0)
    )


def measure(corpus: Path, label_order: Sequence[str] | None = None) -> pl.DataFrame:
    """The measured columns of a corpus, one row a row, in its order; see the module's table.

    A field that the corpus lacks counts as a field of nulls, so that the rest can still be measured.

    Args:
        corpus: a Parquet file with the columns of :data:`CORPUS_FIELDS`.
        label_order: the declared label names, if there are any.
    """
    rows = _conformed(pl.scan_parquet(corpus)).select(*_place_columns(), *_text_columns()).collect(engine="streaming")
    return rows.with_columns(*_copy_columns(rows)).with_columns(*_label_columns(rows, label_order))


def _conformed(rows: pl.LazyFrame) -> pl.LazyFrame:
    known = rows.collect_schema()
    kinds = {name: getattr(pl, kind)() for name, kind in CORPUS_FIELDS.items()}
    return rows.select(
        pl.col(name).cast(kind, strict=False) if name in known else pl.lit(None, dtype=kind).alias(name)
        for name, kind in kinds.items()
    )


def _place_columns() -> list[pl.Expr]:
    label = pl.col("label")
    return [
        pl.col("id"),
        pl.when(loose_keys(label) != "").then(label).alias("label"),
        pl.col("split"),
        pl.col("origin").cast(pl.Categorical),
        pl.col("row"),
    ]


def _text_columns() -> list[pl.Expr]:
    text = pl.col("text").fill_null("")
    key = loose_keys(text)
    length = key.str.len_chars()
    chinese = key.str.replace_all(f"[^{CHINESE}]+", "").str.len_chars()  # 40% faster than counting matches
    return [
        # 64 bits in place of the text: among a million texts, two different ones share a key with probability 3e-8.
        pl.when(length == 0).then(pl.lit("")).otherwise(key.hash().cast(pl.String)).alias("key"),
        text.str.len_chars().cast(pl.Int64).alias("characters"),
        pl.when(length > 0).then(chinese / length).alias("chinese_share"),
        pl.col("text").is_null().alias("text_missing"),
        (~text.str.contains(f"[^{SPACE}{UNSEEN}]")).alias("is_blank"),
        text.map_batches(_hold_html, return_dtype=pl.Boolean, is_elementwise=True).alias("has_html"),
        text.str.contains(f"[{UNSEEN}]").alias("has_controls"),
        text.str.contains("\ufffd", literal=True).alias("has_replacement_character"),
        text.str.contains(MOJIBAKE).alias("has_mojibake"),
    ]


def _hold_html(texts: pl.Series) -> pl.Series:
    """Would cleaning find tags or entities? Only what has one of their marks is asked, for that is done row by row."""
    doubtful = texts.str.contains("[<&]")
    held = texts.filter(doubtful).map_elements(lambda text: without_html(text) != text, return_dtype=pl.Boolean)
    return doubtful.scatter(doubtful.arg_true(), held) if held.len() else doubtful


def _copy_columns(rows: pl.DataFrame) -> list[pl.Expr]:
    """Flags of rows whose text stands elsewhere; blank texts are copies of nothing."""
    split, filled = pl.col("split"), pl.col("key") != ""
    learnt, validation = rows.filter(LEARNT)["key"].unique(), rows.filter(split == "validation")["key"].unique()
    labelled = rows.select("key", "label").unique().filter(pl.col("label").is_not_null())
    contradicting = labelled.filter(pl.col("key").is_duplicated())["key"].unique()

    def stands(which: str, keys: pl.Series, name: str) -> pl.Expr:
        return (filled & (split == which).fill_null(value=False) & pl.col("key").is_in(keys.implode())).alias(name)

    return [
        (filled & ~pl.struct("split", "key").is_first_distinct()).alias("repeats_earlier"),
        stands("validation", learnt, "validation_in_train"),
        stands("test", learnt, "test_in_train"),
        stands("test", validation, "test_in_validation"),
        (filled & pl.col("key").is_in(contradicting.implode())).alias("contradicts"),
    ]


def _label_columns(rows: pl.DataFrame, label_order: Sequence[str] | None) -> list[pl.Expr]:
    label, split = pl.col("label"), pl.col("split")
    present = [name for name in SPLITS if (rows["split"] == name).any()]
    names = {name: rows.filter(split == name)["label"].unique().implode() for name in present}
    learnt = rows.filter(LEARNT)["label"].unique().implode()
    in_all = pl.all_horizontal(pl.lit(value=True), *(label.is_in(names[name]) for name in present))
    labelled = pl.when(label.is_not_null())
    flags = {
        "label_not_in_train": split.is_in(["validation", "test"]) & ~label.is_in(learnt),
        "label_not_in_all": ~in_all,
        "label_has_twin": label.is_in(_twins(rows["label"]).implode()),
        "label_undeclared": pl.lit(value=False) if label_order is None else ~label.is_in(list(label_order)),
    }
    return [
        labelled.then(pl.len().over("label")).cast(pl.Int64).alias("label_rows"),
        (labelled.then(pl.len().over("label")) / max(rows.height, 1)).alias("label_share"),
        *((labelled.then(flag).fill_null(value=False)).alias(name) for name, flag in flags.items()),
    ]


def _twins(labels: pl.Series) -> pl.Series:
    """The labels that differ from another one only by width, case or white space."""
    names = labels.drop_nulls().unique()
    folded = loose_keys(pl.col("label").str.normalize("NFKC")).str.to_lowercase()
    return names.to_frame("label").filter(folded.is_duplicated())["label"]
