"""Ask stored models about the validation rows that were drawn for before and after, as the page of candidates does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from wenhuo.blending.options import Blend
from wenhuo.evaluation.answers import Part, Probabilities
from wenhuo.evaluation.material import Options
from wenhuo.models.classifier import Classifier
from wenhuo.models.folder import Card
from wenhuo.training import before
from wenhuo.training.options import LinearCandidate, TransformerCandidate


def ask_drawn(
    validation: Path | None, folders: Mapping[str, Path], labels: list[str]
) -> tuple[Part, dict[str, Probabilities]]:
    """The rows drawn, and what each model says of them.

    Args:
        validation: the rows' Parquet file; None: no rows.
        folders: candidate to its model.
        labels: the data's; the columns of the answers are in their order.

    Raises:
        ModelError: a model is damaged or refused.
    """
    part = _drawn(validation, labels)
    found = {}
    for name, folder in folders.items():
        model = Classifier.load(folder) if part.texts else None
        said = np.zeros((0, len(labels))) if model is None else model.probabilities(part.texts)
        columns = [] if model is None else [model.labels.index(label) for label in labels]
        found[name] = said if model is None else said[:, columns]
    return part, found


def _drawn(path: Path | None, labels: list[str]) -> Part:
    columns = ["id", "text", "label", "leaked"]
    rows = pl.DataFrame(schema=dict.fromkeys(columns, pl.String)) if path is None else pl.read_parquet(path)
    rows = rows.filter(pl.col("label").is_in(labels))
    chosen = before.drawn(rows["id"].to_list(), rows["label"].to_list())
    rows = rows[chosen]
    truth = np.array([labels.index(label) for label in rows["label"]], dtype=np.int64)
    return Part(rows["id"].to_list(), rows["text"].to_list(), truth, np.zeros(len(rows), dtype=np.bool_))


def stand_in(card: Card) -> Options:
    """Options that say no more than which of the kinds a model is of, which is all that the sections used here ask.

    What was chosen about it stands in its run; an older release's values may not load any more.
    """
    if card.kind == "blend":
        return Blend(of=["any", "other"])
    if card.kind == "linear":
        return LinearCandidate(kind="linear", encoder="any")
    return TransformerCandidate(kind="transformer", encoder="any")
