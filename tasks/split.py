"""Divide the cleaned rows into train, validation and test.

The publisher's split is kept; what it lacks is cut from train, and a corpus without any split is divided whole, by the
hash of each text: adding rows moves no old row, and no text stands in two splits. Writes one Parquet file per split,
sorted by id, and `dataset.json`: the labels in order, the cleaning steps, row counts and a hash of each split's ids.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from wenhuo.settings import Section

if TYPE_CHECKING:
    import polars as pl


class Params(Section):
    """How rows without a publisher's split are divided."""

    seed: int = Field(13, ge=0, lt=2**63, description="The hash's seed; another one divides the rows otherwise.")
    validation: float = Field(
        0.1, gt=0, lt=1, description="Share of the rows that become validation, if it is lacking."
    )
    test: float = Field(0.1, gt=0, lt=1, description="Share of the rows that become test, if it is lacking.")

    @model_validator(mode="after")
    def _something_left(self) -> Params:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation ({self.validation}) and test ({self.test}) leave nothing for train")
        return self


def run(params: Params, *, cleaned: Path, parts: Path, report: Path) -> None:
    """Write the three splits, what is true of them together, and the figures.

    Raises:
        DataError: a split is empty, or holds labels that train lacks.
    """
    from wenhuo.files import write_json
    from wenhuo.quality.splitting import SPLITS, census, check_parts, divide, ordered_labels
    from wenhuo.quality.tables import read_table

    rows, about = read_table(cleaned)
    divided, made = divide(rows, seed=params.seed, validation=params.validation, test=params.test)
    tables = {name: _part(divided, name) for name in SPLITS}
    check_parts(tables)
    labels = ordered_labels(divided["label"].unique().to_list(), about.get("label_order"))
    counted = census(tables, labels)
    _write(parts, tables, about, labels)
    write_json(report, counted | {"made": made})
    _tell(counted, made)


def _part(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    part = rows.filter(rows["split"] == name)
    return part.select("id", "text", "label", "leaked", "origin", "row").sort("id", "origin", "row")


def _write(folder: Path, tables: dict[str, pl.DataFrame], about: dict[str, Any], labels: list[str]) -> None:
    from wenhuo.files import whole, write_json
    from wenhuo.quality.tables import write_table

    dataset = {
        "labels": labels,
        "cleaning": about.get("cleaning"),
        "source": about.get("source"),
        "synthetic": about.get("synthetic", False),
        "rows": {name: table.height for name, table in tables.items()},
        "hash": {name: _hash(table) for name, table in tables.items()},
    }
    with whole(folder) as made:
        made.mkdir()
        for name, table in tables.items():
            write_table(made / f"{name}.parquet", table)
        write_json(made / "dataset.json", dataset)


def _hash(table: pl.DataFrame) -> str:
    """SHA-256 over the ids in order, one a line."""
    from hashlib import sha256

    return sha256("\n".join(table["id"]).encode()).hexdigest()


def _tell(counted: dict[str, Any], made: dict[str, str]) -> None:
    from wenhuo.console import say

    say("split: " + ", ".join(f"{name} {count:,} ({made[name]})" for name, count in counted["rows"].items()))
    for warning in counted["warnings"][:3]:
        say(f"split: warning: {warning}")
