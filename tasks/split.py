"""Divide the cleaned rows into train, validation and test.

The publisher's split is kept; what it lacks is cut from train, and a corpus without any split is divided whole, by the
hash of each text: adding rows moves no old row, and no text stands in two splits. Where near-duplicates would straddle
splits made here, the fewer of them are set aside, with the reason. Writes one Parquet file per split, sorted by id, and
`dataset.json`: the labels in order, the cleaning steps, row counts and a hash of each split's ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from wenhuo.settings import Section

if TYPE_CHECKING:
    from wenhuo.splitting.parts import Parts


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


def run(params: Params, *, cleaned: Path, parts: Path, removed: Path, report: Path) -> None:
    """Write the three splits, what is true of them together, the rows set aside, and the figures.

    Raises:
        DataError: a split is empty, or holds labels that train lacks.
    """
    from wenhuo.files import whole, write_json
    from wenhuo.splitting.division import census, check_counts, divide, ordered_labels
    from wenhuo.splitting.parts import read_narrow, write_parts
    from wenhuo.tables import read_about, write_table

    narrow, about = read_narrow(cleaned, params.seed), read_about(cleaned)
    divided = divide(narrow, validation=params.validation, test=params.test)
    counts = divided.counts(narrow["label"])
    check_counts(counts)
    labels = ordered_labels([*set().union(*counts.values())], about.get("label_order"))
    with whole(parts) as folder:
        folder.mkdir()
        written = write_parts(cleaned, divided, folder)
        write_json(folder / "dataset.json", _dataset(about, labels, written))
    write_table(removed, written.removed)
    counted = census(counts, labels) | {"made": divided.made, "removed": divided.removed()}
    write_json(report, counted)
    _tell(counted)


def _dataset(about: Mapping[str, Any], labels: list[str], written: Parts) -> dict[str, Any]:
    return {
        "labels": labels,
        "cleaning": about.get("cleaning"),
        "source": about.get("source"),
        "synthetic": about.get("synthetic", False),
        "rows": written.rows,
        "hash": written.hash,
    }


def _tell(counted: dict[str, Any]) -> None:
    from wenhuo.console import say

    say("split: " + ", ".join(f"{name} {count:,} ({counted['made'][name]})" for name, count in counted["rows"].items()))
    for reason, splits in counted["removed"].items():
        say(f"split: {sum(splits.values()):,} rows set aside: {reason}")
    for warning in counted["warnings"][:3]:
        say(f"split: warning: {warning}")
