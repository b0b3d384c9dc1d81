"""The tables that cleaning writes. Texts pass through in portions; what is said of them is held for all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.sifting.gathering import Shelf
from wenhuo.sifting.ledger import COLUMNS
from wenhuo.sifting.sifting import contradictory
from wenhuo.tables import ahead, write_chunks

_KINDS: dict[str, Any] = dict.fromkeys((*COLUMNS, "cluster", "reason", "of", "group"), pl.String)
_KINDS |= {"row": pl.Int64, "leaked": pl.Boolean, "stays": pl.Boolean, "similarity": pl.Float32}


@dataclass(frozen=True)
class Outputs:
    """The files that are written; docs/cleaning.md says what their columns mean."""

    cleaned: Path
    removed: Path
    clusters: Path
    contradictions: Path


@dataclass(frozen=True)
class Sifted:
    """What the rules left and took. Rows go by their ids in the ledger.

    Attributes:
        rows: all rows but those that a correction took out, with corrected labels.
        labels: names of the labels by their numbers.
        left: the rows that stay.
        taken: ``id``, ``reason``, ``of`` and ``similarity`` of those that go, a correction's included.
        leaked: ids of rows of validation and test with an exact or near copy in train.
        members: ``id``, ``cluster`` and ``similarity`` of the rows in clusters of near-duplicates.
        near: the figures about these; None where they were not looked for.
    """

    rows: pl.DataFrame
    labels: list[str]
    left: pl.DataFrame
    taken: pl.DataFrame
    leaked: pl.Series
    members: pl.DataFrame
    near: dict[str, Any] | None


def write_outputs(outputs: Outputs, sifted: Sifted, shelf: Shelf, about: Mapping[str, Any]) -> None:
    """Write all tables; ``about`` is what is true of all cleaned rows."""
    _write(outputs.cleaned, _cleaned(sifted), (*COLUMNS, "leaked", "cluster"), sifted, shelf, about)
    _write(outputs.removed, sifted.taken, (*COLUMNS, "reason", "of", "similarity"), sifted, shelf)
    _write(outputs.clusters, _clusters(sifted), ("cluster", *COLUMNS, "similarity", "stays"), sifted, shelf)
    _write(outputs.contradictions, _contradictions(sifted), ("group", *COLUMNS, "stays"), sifted, shelf)


def _cleaned(sifted: Sifted) -> pl.DataFrame:
    leaked = pl.col("id").is_in(sifted.leaked.implode()).alias("leaked")
    clusters = sifted.members.select("id", "cluster")
    return sifted.left.select("id", "label", leaked).join(clusters, on="id", how="left", maintain_order="left")


def _clusters(sifted: Sifted) -> pl.DataFrame:
    members = sifted.members.select("id", "label", "cluster", "similarity")
    return _with_stays(members.sort("cluster", "id"), sifted)


def _contradictions(sifted: Sifted) -> pl.DataFrame:
    found = contradictory(sifted.rows).join(sifted.rows.select("id", "label"), on="id", maintain_order="left")
    return _with_stays(found, sifted)


def _with_stays(rows: pl.DataFrame, sifted: Sifted) -> pl.DataFrame:
    return rows.with_columns((~pl.col("id").is_in(sifted.taken["id"].implode())).alias("stays"))


def _write(
    path: Path,
    wanted: pl.DataFrame,
    columns: Sequence[str],
    sifted: Sifted,
    shelf: Shelf,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write the wanted rows: what ``wanted`` says of them in place of, and besides, what the corpus does."""
    empty = pl.DataFrame(schema={name: _KINDS[name] for name in columns})
    write_chunks(path, empty, ahead(_chunks(wanted, sifted.labels, shelf, cleaned=about is not None)), about)


def _chunks(wanted: pl.DataFrame, labels: Sequence[str], shelf: Shelf, *, cleaned: bool) -> Iterator[pl.DataFrame]:
    pointing = [name for name in ("of", "cluster", "group") if name in wanted.columns]
    names = shelf.names(pl.concat([wanted[name] for name in pointing]))
    named = pl.Series("label", labels, dtype=pl.String)
    fetch = shelf.cleaned_rows if cleaned else shelf.rows
    for part, rows in fetch(wanted["id"].to_numpy(), COLUMNS):
        said = wanted[part].drop("id")
        if "label" in said.columns:
            said = said.with_columns(named.gather(said["label"]))
        for name in pointing:
            said = said.with_columns(_names(said[name], names))
        yield rows.with_columns(said)


def _names(ids: pl.Series, names: pl.DataFrame) -> pl.Series:
    """The corpus's own ids of rows, null for null."""
    joined = ids.to_frame("id").join(names, on="id", how="left", maintain_order="left")
    return joined["name"].alias(ids.name)
