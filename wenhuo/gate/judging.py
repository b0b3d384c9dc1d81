"""Measure the winner, the champion and the best linear candidate on the frozen test rows, and decide."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wenhuo.console import track
from wenhuo.errors import ModelError
from wenhuo.gate.checks import Classes, Probabilities, Rows
from wenhuo.gate.frozen import Frozen, Kept, digests, keep
from wenhuo.gate.options import Gate
from wenhuo.gate.verdict import Champion, Evidence, Verdict, data_are_sound, decide, refuse
from wenhuo.metrics.slices import slices
from wenhuo.models.classifier import Classifier

AT_ONCE = 1024
TIMED = 20  # texts whose times are taken, one by one; the median of so many is steady within a tenth


@dataclass(frozen=True)
class Known:
    """The champion as the registry has it.

    Attributes:
        name: what it is called, such as ``version 3``.
        folder: its files; None where they are not there.
        trouble: why it cannot be asked.
        test_set: the hash of the test set that it was measured on; None where that is the one at hand.
        frozen: that test set, where it is known.
    """

    name: str
    folder: Path | None
    trouble: str = ""
    test_set: str | None = None
    frozen: Frozen | None = None


@dataclass(frozen=True)
class Judged:
    """The verdict, and the frozen test set that it rests on."""

    verdict: Verdict
    frozen: Frozen


def judge(
    gate: Gate,
    winner: Path,
    champion: Known | None,
    linear: Path | None,
    tests: pl.DataFrame,
    labels: list[str],
    errors: int,
) -> Judged:
    """Decide about the winner.

    Args:
        gate: what is asked of it.
        winner: its folder.
        champion: None where there is none.
        linear: the folder of the best linear candidate; None where there is none, or it is the winner.
        tests: the test rows: ``id``, ``text``, ``label``, and ``leaked`` and ``source`` where there are such.
        labels: the data's.
        errors: of the validation of the data.

    Raises:
        ModelError: the winner's folder is damaged or refused.
    """
    kept = _rows(gate, champion, tests)
    sound = data_are_sound(errors)
    if not sound.passed:
        return Judged(refuse(sound.name, sound.reason), kept.frozen)
    if kept.refusal:
        return Judged(refuse("test set", kept.refusal), kept.frozen)
    measured = tests.filter(pl.Series(kept.rows))
    texts, model = measured["text"].to_list(), Classifier.load(winner)
    evidence = Evidence(
        rows=Rows(_truth(measured, labels), labels, slices(measured)),
        probabilities=answers(model, texts, labels, winner.name),
        megabytes=sum(path.stat().st_size for path in winner.rglob("*") if path.is_file()) / 1e6,
        milliseconds=milliseconds(model, texts),
        champion=None if champion is None else _champion(champion, texts, labels),
        linear=None if linear is None else (linear.name, _classes(Classifier.load(linear), texts, labels, linear.name)),
    )
    return Judged(decide(evidence, gate), kept.frozen)


def answers(model: Classifier, texts: list[str], labels: list[str], name: str) -> Probabilities:
    """A model's probabilities for texts, the columns in the order of the data's labels, shape (n, k).

    Raises:
        ModelError: it has other labels.
    """
    if sorted(model.labels) != sorted(labels):
        raise ModelError("it has other labels than the data", "set register.name to start a new model")
    columns = [model.labels.index(label) for label in labels]
    starts = range(0, len(texts), AT_ONCE)
    said = [model.probabilities(texts[at : at + AT_ONCE]) for at in track(starts, f"{name} on test", len(starts))]
    return np.concatenate([np.zeros((0, len(labels))), *said])[:, columns]


def milliseconds(model: Classifier, texts: Sequence[str]) -> float:
    """The median time for one text, in milliseconds, after two that warm up."""
    if not texts:
        return 0.0
    taken = []
    for text in (*texts[:2], *texts[:TIMED]):
        began = time.perf_counter()
        model.probabilities([text])
        taken.append(1000 * (time.perf_counter() - began))
    return float(np.median(taken[2:]))


def _rows(gate: Gate, champion: Known | None, tests: pl.DataFrame) -> Kept:
    at_hand = digests(tests.select(pl.col("id", "label", "text").cast(pl.String)).iter_rows())
    frozen = (None, None) if champion is None else (champion.test_set, champion.frozen)
    return keep(at_hand, *frozen, gate.test_set)


def _truth(tests: pl.DataFrame, labels: list[str]) -> Classes:
    place = {label: number for number, label in enumerate(labels)}
    return np.array([place[label] for label in tests["label"]], dtype=np.int64)


def _classes(model: Classifier, texts: list[str], labels: list[str], name: str) -> Classes:
    return np.asarray(answers(model, texts, labels, name).argmax(axis=1), dtype=np.int64)


def _champion(known: Known, texts: list[str], labels: list[str]) -> Champion:
    if known.folder is None:
        return Champion(known.name, None, known.trouble)
    try:
        return Champion(known.name, _classes(Classifier.load(known.folder), texts, labels, known.name))
    except ModelError as error:
        return Champion(known.name, None, f"{error.what}; {error.hint}" if error.hint else error.what)
