"""A corpus held against its suite of expectations, from the file to the figures of the reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from wenhuo.tables import read_about
from wenhuo.validation.expectations import all_checks
from wenhuo.validation.limits import Limits
from wenhuo.validation.measures import PLACE, measure
from wenhuo.validation.own import read_expectations
from wenhuo.validation.profile import profile
from wenhuo.validation.scan import Counts
from wenhuo.validation.summary import summarise
from wenhuo.validation.tallies import tallies
from wenhuo.validation.verdicts import hold, prepare


@dataclass(frozen=True)
class Validated:
    """What came of it.

    Attributes:
        summary: what validation.json holds: verdicts and figures, and ``profile``, what the next version is compared
            with.
        characters: how often each character occurs, by code point.
    """

    summary: dict[str, Any]
    characters: Counts


def validate_corpus(corpus: Path, limits: Limits, expectations: Path | None = None) -> Validated:
    """Hold a corpus against the suite.

    Args:
        corpus: the Parquet file that ``ingest`` wrote.
        limits: of the built-in expectations.
        expectations: expectations.yaml; None for the built-in expectations at their own levels.

    Raises:
        SettingsError: with every mistake in expectations.yaml, before the corpus is read.
    """
    chosen = read_expectations(expectations)
    prepared = prepare(chosen.own)
    about = read_about(corpus)
    label_order = about.get("label_order")
    checks = [*chosen.applied(all_checks(limits, label_order)), *chosen.own]
    prepared |= prepare(check for check in checks if not check.own)
    measures = measure(corpus, label_order)
    batches = tallies(corpus, measures, label_order) | {"rows": measures.rows}
    verdicts = hold(batches, checks, prepared, lambda positions: places(corpus, positions))
    summary = summarise(measures, verdicts, about=about, max_labels=limits.max_labels)
    return Validated(summary | {"profile": profile(corpus, measures, summary)}, measures.characters)


def places(corpus: Path, positions: Sequence[int]) -> list[dict[str, Any]]:
    """Where rows stand: ``id``, ``origin`` and ``row`` of those at the given positions, in rising order.

    Only the row groups that hold one of them are read.
    """
    file = pq.ParquetFile(corpus)
    known = [name for name in PLACE if name in file.schema_arrow.names]
    found: list[dict[str, Any]] = []
    start = 0
    for group in range(file.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        here = [position - start for position in positions if start <= position < end]
        if here:
            rows = file.read_row_group(group, columns=known).take(here).to_pylist()
            found += [dict.fromkeys(PLACE) | row for row in rows]
        start = end
    return found
