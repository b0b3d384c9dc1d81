"""From a corpus the rows that are fit for training and measuring, and all that is to be said of those that are not.

The corpus is read twice. In between, rules work on a few numbers of each row (``wenhuo.sifting.ledger``), so that
memory follows the number of rows by some 100 bytes each, and not their texts. Near-duplicates need more, and time.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wenhuo.files import PARTIAL
from wenhuo.near.options import NearDuplicates
from wenhuo.sifting.clusters import clustered, near_figures, near_leaked, no_members, sift_near
from wenhuo.sifting.correcting import Corrected, correct
from wenhuo.sifting.corrections import read_corrections
from wenhuo.sifting.duplicates import overlaps
from wenhuo.sifting.gathering import Shelf
from wenhuo.sifting.ledger import Ledger, keep_ledger
from wenhuo.sifting.outputs import Outputs, Sifted, write_outputs
from wenhuo.sifting.rules import Rules
from wenhuo.sifting.sifting import by_split, copies_by_size, leaked, removed_by_reason, sift
from wenhuo.tables import read_about


def clean_corpus(rules: Rules, corpus: Path, corrections: Path | None, outputs: Outputs) -> dict[str, Any]:
    """Clean a corpus.

    Args:
        rules: what is done.
        corpus: a Parquet file as ``ingest`` writes it.
        corrections: people's decisions about labels; None when there are none.
        outputs: the files to write.

    Returns:
        The figures for the report.

    Raises:
        DataError: a correction cannot be read or applied; or rows of train stand in validation or test, and
            ``rules.leaks`` is ``fail``.
    """
    decisions = read_corrections(corrections) if corrections else []
    about = read_about(corpus)
    outputs.cleaned.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".clean.", suffix=PARTIAL, dir=outputs.cleaned.parent) as folder:
        scratch = Path(folder)
        ledger = keep_ledger(corpus, rules.normalise, scratch / "cleaned", (one.id for one in decisions))
        corrected = correct(ledger, decisions, corrections or Path(), about.get("label_order") or ())
        places, sizes = (ledger.rows[name].to_numpy().astype(np.int64) for name in ("place", "size"))
        shelf = Shelf(corpus, scratch / "cleaned", places, sizes)
        sifted = _sift(rules, corrected, shelf, scratch)
        write_outputs(outputs, sifted, shelf, about | {"cleaning": rules.normalise.model_dump()})
    return _figures(ledger, corrected, sifted)


def _sift(rules: Rules, corrected: Corrected, shelf: Shelf, scratch: Path) -> Sifted:
    rows = corrected.rows
    exact = sift(
        rows,
        duplicates=rules.duplicates,
        contradicting=rules.contradictions,
        leaks=rules.leaks,
        whence=shelf.whence,
    )
    left = rows.join(exact, on="id", how="anti", maintain_order="left")
    members, figures = _near(rules.near_duplicates, left, shelf, scratch)
    near = sift_near(members, rules.near_duplicates.in_train, rules.leaks, shelf.whence)
    taken = pl.concat([corrected.taken, exact, near]).join(members.select("id", "similarity"), on="id", how="left")
    return Sifted(
        rows=rows,
        labels=corrected.labels,
        left=left.join(near, on="id", how="anti", maintain_order="left"),
        taken=taken.sort("id"),
        leaked=pl.concat([leaked(rows), near_leaked(members)]).unique(),
        members=members,
        near=figures,
    )


def _near(
    options: NearDuplicates, rows: pl.DataFrame, shelf: Shelf, scratch: Path
) -> tuple[pl.DataFrame, dict[str, Any] | None]:
    """The rows that belong to clusters of near-duplicates, and the figures about them."""
    if options.threshold is None:
        return no_members(), None
    from wenhuo.near.search import find

    found = find(shelf.texts(rows["id"].to_numpy()), options, scratch)
    members = clustered(rows, found)
    return members, near_figures(members, found, rows.height, options)


def _figures(ledger: Ledger, corrected: Corrected, sifted: Sifted) -> dict[str, Any]:
    as_read = ledger.rows.select("label", "split", pl.col("as_read").alias("key"))
    return {
        "rows": {"in": by_split(ledger.rows), "out": by_split(sifted.left)},
        "removed": removed_by_reason(ledger.rows, sifted.taken),
        "leaked": by_split(sifted.left.filter(pl.col("id").is_in(sifted.leaked.implode()))),
        "overlaps": {"as_read": asdict(overlaps(as_read)), "normalised": asdict(overlaps(corrected.rows))},
        "copies_by_size": copies_by_size(corrected.rows),
        "near": sifted.near,
        "corrections": corrected.figures,
        "changed": ledger.changed,
    }
