"""Ask a stored model about validation and test, as a user would: loaded from its folder, given the texts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wenhuo.console import track
from wenhuo.errors import DataError, ModelError
from wenhuo.models.classifier import Classifier
from wenhuo.models.folder import Card

MEASURED = ("validation", "test")
NAMED = ("source", "domain")
AT_ONCE = 1024  # texts between two steps of the progress bar

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """The rows of one split; ``truth`` holds positions in the list of labels, ``named`` source and domain, if known."""

    ids: list[str]
    texts: list[str]
    truth: NDArray[np.int64]
    leaked: NDArray[np.bool_]
    named: Mapping[str, list[str | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """A model's probabilities by split, shape (n, k) each; its seconds for 1,000 texts (loading apart); its card."""

    by_split: dict[str, Probabilities]
    seconds: float
    card: Card


def read_parts(folder: Path, labels: list[str]) -> dict[str, Part]:
    """The splits that are measured.

    Raises:
        DataError: a split has labels that are not among ``labels``.
    """
    return {split: _read_part(folder / f"{split}.parquet", labels) for split in MEASURED}


def _read_part(path: Path, labels: list[str]) -> Part:
    names = [name for name in NAMED if name in pl.read_parquet_schema(path)]
    rows = pl.read_parquet(path, columns=["id", "text", "label", "leaked", *names])
    unknown = sorted(set(rows["label"]) - set(labels))
    if unknown:
        raise DataError(f"{path}: labels that dataset.json does not list: {', '.join(unknown[:5])}", "run `dvc repro`")
    place = {label: number for number, label in enumerate(labels)}
    truth = np.array([place[label] for label in rows["label"]], dtype=np.int64)
    named = {name: rows[name].to_list() for name in names}
    return Part(rows["id"].to_list(), rows["text"].to_list(), truth, rows["leaked"].to_numpy().astype(bool), named)


def ask(model: Path, parts: Mapping[str, Part], labels: list[str]) -> Answers:
    """What the model in a folder says about every row.

    Args:
        model: the folder.
        parts: split to its rows.
        labels: the data's; the columns of the answers are in their order.

    Raises:
        ModelError: there is no model, or it is one of other labels.
    """
    classifier = load(model)
    columns = places(classifier.labels, labels, model)
    began = time.perf_counter()
    found = {
        split: _probabilities(classifier, part.texts, f"{model.name} on {split}")[:, columns]
        for split, part in parts.items()
    }
    texts = sum(len(part.texts) for part in parts.values())
    return Answers(found, 1000 * (time.perf_counter() - began) / max(1, texts), classifier.card)


def load(folder: Path) -> Classifier:
    """The model in a folder.

    Raises:
        ModelError: there is none.
    """
    if not folder.is_dir():
        raise absent(folder, "train")
    return Classifier.load(folder)


def absent(folder: Path, stage: str) -> ModelError:
    """The error that says which stage is to make a model."""
    return ModelError(
        f"{folder} does not exist: the candidate is not trained", f"run `dvc repro {stage}@{folder.name}`"
    )


def places(model: list[str], data: list[str], folder: Path) -> list[int]:
    """Where each label of the data stands among the model's.

    Raises:
        ModelError: the labels are not the same.
    """
    if sorted(model) != sorted(data):
        apart = ", ".join(sorted(set(model) ^ set(data))[:5])
        raise ModelError(f"{folder} was trained on other labels than the data have: {apart}", "run `dvc repro`")
    return [model.index(label) for label in data]


def _probabilities(classifier: Classifier, texts: list[str], what: str) -> Probabilities:
    starts = range(0, len(texts), AT_ONCE)
    found = [classifier.probabilities(texts[at : at + AT_ONCE]) for at in track(starts, what, len(starts))]
    return np.concatenate([np.zeros((0, len(classifier.labels))), *found])
