"""The figures of all candidates as one summary: measured, compared, and a winner chosen on validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wenhuo.evaluation.answers import Answers, Part
from wenhuo.metrics.classification import measure
from wenhuo.metrics.intervals import LEVEL
from wenhuo.metrics.paired import differences
from wenhuo.metrics.summary import CHOSEN_BY, choose

Measures = dict[str, dict[str, Any]]


def measured(
    answers: Answers, parts: Mapping[str, Part], labels: list[str], *, bootstrap: int, seed: int
) -> dict[str, Any]:
    """A candidate's figures on each split, and on the test rows without a copy in the source's train when some had one.

    Args:
        answers: the candidate's.
        parts: the splits.
        labels: the classes' names.
        bootstrap: resamples behind each interval.
        seed: of the resampling.
    """
    rows = {split: (part.truth, answers.by_split[split]) for split, part in parts.items()}
    clean = ~parts["test"].leaked
    if not clean.all():
        rows["test_leak_free"] = (parts["test"].truth[clean], answers.by_split["test"][clean])
    return {
        split: measure(truth, probabilities, labels, bootstrap=bootstrap, seed=seed)
        for split, (truth, probabilities) in rows.items()
    }


def summarise(
    measures: Mapping[str, Measures],
    answers: Mapping[str, Answers],
    parameters: Mapping[str, Mapping[str, int] | None],
    validation: Part,
    dataset: Mapping[str, Any],
    *,
    bootstrap: int,
    seed: int,
) -> dict[str, Any]:
    """What ``metrics.json`` holds; the test split has no part in the choice.

    Args:
        measures: candidate to its figures.
        answers: candidate to its answers, for the winner's lead.
        parameters: candidate to how many parameters it has and how many were trained; None where that is not known.
        validation: its rows.
        dataset: what ``dataset.json`` says.
        bootstrap: resamples behind each interval.
        seed: of the resampling.
    """
    winner = choose({name: measure["validation"] for name, measure in measures.items()})
    told = {name: dataset[name] for name in ("source", "synthetic", "rows", "hash", "labels")}
    return {
        "candidates": dict(measures),
        "parameters": dict(parameters),
        "winner": winner,
        "chosen_by": CHOSEN_BY,
        "lead": _lead(measures, answers, winner, validation, bootstrap, seed),
        "intervals": {"level": LEVEL, "resamples": bootstrap, "seed": seed},
        **told,
    }


def _lead(
    measures: Mapping[str, Measures],
    answers: Mapping[str, Answers],
    winner: str,
    validation: Part,
    bootstrap: int,
    seed: int,
) -> dict[str, Any] | None:
    """By how much the winner leads the next on validation, on the same resampled rows; None where there is no next."""
    others = {name: figures["validation"] for name, figures in measures.items() if name != winner}
    if not any(figures["macro_f1"] is not None for figures in others.values()):
        return None
    second = choose(others)
    first, other = (answers[name].by_split["validation"] for name in (winner, second))
    said = first.argmax(axis=1), other.argmax(axis=1)
    found = differences(validation.truth, *said, first.shape[1], resamples=bootstrap, seed=seed)["macro_f1"]
    return {"over": second, "macro_f1": found.difference, "interval": found.interval}
