"""Compare two models on the rows of the project in whose folder this runs.

By default on validation and on test. The test set chooses nothing, here either: whoever decides by its figures has used
it up. So its texts are shown only to those who ask for test alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wenhuo.comparing.comparison import Answers, Comparison, Probabilities, Split, compare_answers
from wenhuo.console import track
from wenhuo.errors import DataError, SettingsError
from wenhuo.files import read_json
from wenhuo.metrics.calibration import answered
from wenhuo.metrics.slices import slices
from wenhuo.models.classifier import Classifier
from wenhuo.pages.wording import plural
from wenhuo.references import Named, find

PARTS = Path("data/split")
SPLITS = ("validation", "test")
AT_ONCE = 1024  # texts between two steps of the progress bar

Asked = tuple[Classifier, dict[str, Probabilities]]
"""A model, and what it says of each split, in the order of its own labels."""


def compare(old: str, new: str, splits: Sequence[str] = (), *, examples: int, bootstrap: int, seed: int) -> Comparison:
    """Both models on the same rows.

    Args:
        old: see :mod:`wenhuo.references`.
        new: the same.
        splits: of ``validation`` and ``test``; none: both.
        examples: rows of each way of changing sides that are shown with their texts.
        bootstrap: resamples behind each interval.
        seed: of the resampling.

    Raises:
        ModelError: there is no such model, or it is damaged.
        DataError: there are no split data here, or no rows in them.
        SettingsError: there is no such split.
    """
    about, tables = _dataset(), _tables(_chosen(splits))
    models = [find(reference) for reference in (old, new)]
    names = _names(models, (old, new))
    asked = [_ask(model, name, tables) for model, name in zip(models, names, strict=True)]
    found = []
    for split, table in tables.items():
        shown = examples if split == "validation" or set(splits) == {"test"} else 0
        answers = _answers(table, about["labels"], [(model.labels, said[split]) for model, said in asked])
        found.append(compare_answers(split, answers, slices(table), examples=shown, bootstrap=bootstrap, seed=seed))
    return Comparison(names[0], names[1], found, _notes(names, asked, about, tables))


def _chosen(splits: Sequence[str]) -> list[str]:
    for name in splits:
        if name not in SPLITS:
            raise SettingsError(f"--split {name}: models are not compared on it", f"it is one of {', '.join(SPLITS)}")
    return [name for name in SPLITS if not splits or name in splits]


def _tables(chosen: Sequence[str]) -> dict[str, pl.DataFrame]:
    """The rows of each split that has some."""
    tables = {name: pl.read_parquet(PARTS / f"{name}.parquet") for name in chosen}
    held = {name: table for name, table in tables.items() if table.height}
    if not held:
        raise DataError(f"{' and '.join(chosen)} have no rows", "raise split.validation and split.test in params.yaml")
    return held


def _dataset() -> dict[str, Any]:
    if not (PARTS / "dataset.json").exists():
        raise DataError(f"there are no split data in {PARTS}", "run this in the project's folder, after `make run`")
    about: dict[str, Any] = read_json(PARTS / "dataset.json")
    return about


def _names(models: Sequence[Named], references: Sequence[str]) -> list[str]:
    """What the two are called; as they were asked for where that would be the same."""
    names = [model.name for model in models]
    return names if len(set(names)) == 2 else [f"{references[0]} (old)", f"{references[1]} (new)"]


def _ask(model: Named, name: str, tables: dict[str, pl.DataFrame]) -> Asked:
    classifier = Classifier.load(model.folder)
    found = {}
    for split, table in tables.items():
        texts = table["text"].to_list()
        starts = range(0, len(texts), AT_ONCE)
        parts = [
            classifier.probabilities(texts[start : start + AT_ONCE])
            for start in track(starts, f"{name} on {split}", len(starts))
        ]
        found[split] = np.concatenate(parts)
    return classifier, found


def _answers(
    table: pl.DataFrame, labels: Sequence[str], said: Sequence[tuple[Sequence[str], Probabilities]]
) -> Answers:
    """What both say, in columns of the same labels: the data's, and behind them those that only a model knows."""
    every = [*labels, *sorted({label for known, _ in said for label in known} - set(labels))]
    placed = []
    for known, probabilities in said:
        placed.append(np.zeros((len(probabilities), len(every))))
        placed[-1][:, [every.index(label) for label in known]] = probabilities
    truth = np.array([every.index(label) for label in table["label"]], dtype=np.int64)
    return Answers(table, every, truth, *placed)


def _notes(
    names: Sequence[str], asked: Sequence[Asked], about: dict[str, Any], tables: dict[str, pl.DataFrame]
) -> list[str]:
    notes = []
    for name, (classifier, said) in zip(names, asked, strict=True):
        notes += _about_labels(name, classifier.labels, about["labels"], tables)
        notes += _about_answers(name, classifier, said, tables)
        if classifier.card.trained_on.get("hash", {}).get("train") != about["hash"]["train"]:
            notes.append(
                f"{name} was trained on other rows than the train rows that lie here: it may have seen rows of these "
                "splits, and its figures may be too good."
            )
    if "test" in tables:
        notes.append("Test chooses nothing: whoever picks a model by its figures needs another test set.")
    return notes


def _about_answers(
    name: str, classifier: Classifier, said: dict[str, Probabilities], tables: dict[str, pl.DataFrame]
) -> list[str]:
    """How much a model answers that abstains, and how much of that is right."""
    below, places = classifier.card.abstain_below, {label: place for place, label in enumerate(classifier.labels)}
    if below is None:
        return []
    parts = []
    for split, table in tables.items():
        truth = np.array([places.get(label, -1) for label in table["label"]], dtype=np.int64)
        found = answered(truth, said[split], below)
        right = "" if found["accuracy"] is None else f", {found['accuracy']:.1%} of them right"
        parts.append(f"{found['coverage']:.1%} of {split}{right}")
    return [f"{name} abstains below {below:.1%}: it answers {'; '.join(parts)}. The figures are of all rows."]


def _about_labels(name: str, known: list[str], labels: list[str], tables: dict[str, pl.DataFrame]) -> list[str]:
    notes = []
    for label in sorted(set(labels) - set(known)):
        rows = sum(int((table["label"] == label).sum()) for table in tables.values())
        notes.append(f"{name} does not know the label {label}: it gets {plural(rows, 'row')} wrong by that alone.")
    if more := sorted(set(known) - set(labels)):
        notes.append(f"{name} knows labels that the data lack: {', '.join(more)}.")
    return notes


def as_dict(found: Comparison) -> dict[str, Any]:
    """For machines."""
    return {
        "old": found.old,
        "new": found.new,
        "splits": {split.name: _split(split) for split in found.splits},
        "notes": found.notes,
    }


def _split(split: Split) -> dict[str, Any]:
    return {name: value for name, value in asdict(split).items() if name != "name"}
