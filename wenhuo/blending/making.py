"""Make a blend of trained candidates: ask them about validation, fit their weights, copy them into one folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from wenhuo.blending.fitting import fit_weights
from wenhuo.blending.options import Blend
from wenhuo.console import say
from wenhuo.errors import DataError, ModelError
from wenhuo.files import write_json
from wenhuo.models.blend import blended
from wenhuo.models.classifier import Classifier
from wenhuo.models.folder import CARD, MEMBERS, Card, read_card
from wenhuo.models.scores import accuracy_and_macro_f1
from wenhuo.training.calibrating import abstention, log_loss
from wenhuo.training.history import Point

Probabilities = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int32]  # as encoded rows have them
KEPT = ("source", "synthetic", "rows", "hash")


@dataclass(frozen=True)
class Fitted:
    """A blend before it is written: its weights by member, what a card says of its threshold, and its scores."""

    weights: dict[str, float]
    abstains: dict[str, float | None]
    points: list[Point]


def fit(options: Blend, models: Path, validation: Path, labels: Sequence[str]) -> Fitted:
    """Ask the members about validation, as whoever serves them would, and fit the blend's weights.

    Args:
        options: the blend's parameters.
        models: the folder of the members' folders.
        validation: its rows (Parquet with ``text`` and ``label``).
        labels: the data's.

    Raises:
        ModelError: a member is missing, damaged, or of other labels.
        DataError: validation has no rows.
    """
    rows = pl.read_parquet(validation, columns=["text", "label"])
    if not rows.height:
        raise DataError("validation has no rows", "see reports/split.json, and bring more rows")
    place = {label: number for number, label in enumerate(labels)}
    truth = np.array([place[label] for label in rows["label"]], dtype=np.int32)
    said = {name: _ask(models / name, rows["text"].to_list(), labels) for name in options.of}
    weights = dict(zip(said, fit_weights(list(said.values()), truth), strict=True))
    found = blended(list(said.values()), list(weights.values()))
    points = [*_scores("validation", found, truth)]
    points += [point for name, one in said.items() for point in _scores(f"{MEMBERS}/{name}", one, truth)]
    _tell(weights, found, said, truth)
    return Fitted(
        weights, {} if options.abstain is None else abstention(found, truth, options.abstain, "blend"), points
    )


def write(fitted: Fitted, models: Path, dataset: Mapping[str, Any], folder: Path) -> None:
    """Write a blend's folder: its card, and a copy of each member's, so that it is whole wherever it goes.

    Args:
        fitted: the blend.
        models: the folder of the members' folders.
        dataset: what ``dataset.json`` says.
        folder: the blend's, which exists.
    """
    for name in fitted.weights:
        shutil.copytree(models / name, folder / MEMBERS / name, copy_function=shutil.copyfile)
    kept = {name: dataset[name] for name in KEPT if name in dataset}
    about = {"labels": dataset["labels"], "cleaning": dataset["cleaning"], "trained_on": kept}
    card = Card(kind="blend", members=fitted.weights, **about, **fitted.abstains)
    write_json(folder / CARD, card.model_dump())
    read_card(folder)  # members that do not belong together are refused here, and not when somebody serves them


def parameters(options: Blend, weights: Mapping[str, float]) -> dict[str, Any]:
    """All that was chosen about a blend, for its run: its own parameters, and the weights that were fitted."""
    return {"kind": "blend", **options.model_dump(), "weights": dict(weights)}


def _ask(folder: Path, texts: list[str], labels: Sequence[str]) -> Probabilities:
    """What a member says, its columns in the order of the labels."""
    model = Classifier.load(folder)
    if model.labels != list(labels):
        raise ModelError(f"{folder} was trained on other labels than the data have", "run `dvc repro`")
    return model.probabilities(texts)


def _scores(what: str, said: Probabilities, truth: Classes) -> list[Point]:
    accuracy, macro_f1 = accuracy_and_macro_f1(truth, said.argmax(axis=1))
    found = {"loss": log_loss(said, truth), "accuracy": accuracy, "macro_f1": macro_f1}
    return [Point(1, 1.0, f"{what}/{name}", value) for name, value in found.items()]


def _tell(
    weights: Mapping[str, float], found: Probabilities, said: Mapping[str, Probabilities], truth: Classes
) -> None:
    losses = {name: log_loss(one, truth) for name, one in said.items()}
    own, best = log_loss(found, truth), min(losses, key=lambda name: losses[name])
    told = ", ".join(f"{weight:g} × {name} (log loss {losses[name]:.4f})" for name, weight in weights.items())
    say(f"blend: {told}; blended {own:.4f} on validation")
    if own >= losses[best]:
        say(f"blend: that is no better than {best} alone: they err on the same rows, or there are few of them")
