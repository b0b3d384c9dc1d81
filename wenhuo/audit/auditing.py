"""The whole audit, from rows to what is told of them: the same for the stage and for ``wenhuo inspect``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.audit.options import Auditing
from wenhuo.audit.published import published_figures
from wenhuo.audit.rows import read_corpus
from wenhuo.audit.suspects import find_suspects


def audit(
    tables: Mapping[str, pl.DataFrame],
    totals: Mapping[str, int],
    corpus: Path,
    options: Auditing,
    settled: Collection[str] = frozenset(),
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Judge the labels of cleaned rows, and measure what leaks do to a score on the rows as read.

    Args:
        tables: split to cleaned rows, see :func:`wenhuo.audit.suspects.find_suspects`.
        totals: rows of each split in all.
        corpus: the rows as read.
        options: how many rows are looked at, and what happens to suspects.
        settled: ids of rows about which a person has decided.

    Returns:
        The suspects, and what ``audit.json`` holds.
    """
    found = find_suspects(tables, options, settled, totals)
    rows, read = read_corpus(corpus, options.max_rows)
    figures, reason = published_figures(rows, options.max_rows, read)
    return found.rows, {"suspects": found.told, "published": figures, "not_published": reason}
