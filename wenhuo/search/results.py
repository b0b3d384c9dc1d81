"""What a search has found: its best trials, what its parameters matter, as lines, a table and a file."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from wenhuo.errors import DataError
from wenhuo.files import whole
from wenhuo.search import studies

BEST = 10
"""Trials in the table."""
ENOUGH = 8
"""Completed trials from which on anything can be said about what parameters matter."""
BEST_SHARE = 0.3
"""What counts as best there: six of twenty; Optuna's tenth would be two."""
SPOKEN = {"macro_f1": "macro-F1", "accuracy": "accuracy", "loss": "loss"}
STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}


@dataclass(frozen=True)
class Result:
    """A trial that has ended.

    Attributes:
        place: its number among the trials, from 1.
        state: complete, pruned or failed.
        score: the objective's value; of a pruned trial the last one, None for a failed one.
        epochs: how many were validated.
        values: of the parameters.
        reason: why it failed.
    """

    place: int
    state: str
    score: float | None
    epochs: int
    values: dict[str, Any]
    reason: str

    def line(self, objective: str) -> str:
        """For people, on one line."""
        spoken = ", ".join(f"{name} {value_text(value)}" for name, value in self.values.items())
        if self.state == "failed":
            return f"trial {self.place}: failed ({self.reason}); {spoken}"
        pruned = f", ended after epoch {self.epochs}" if self.state == "pruned" else ""
        return f"trial {self.place}: {SPOKEN[objective]} {self.score:.4f}{pruned}; {spoken}"


def value_text(value: Any) -> str:
    """A parameter's value for people: a group on one line, null for none."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {value_text(inner)}" for name, inner in value.items()) + "}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def results(study: optuna.Study) -> list[Result]:
    """The trials that have ended, in order."""
    return [_result(place, trial) for place, trial in studies.ended(study).items()]


def _result(place: int, trial: FrozenTrial) -> Result:
    epochs = len(trial.intermediate_values)
    attributes = trial.user_attrs
    score = None if trial.state is TrialState.FAIL else trial.value
    return Result(place, STATES[trial.state], score, epochs, attributes["values"], attributes.get("reason", ""))


def ranked(study: optuna.Study) -> list[Result]:
    """The completed trials, the best first; of equals the one that was tried first."""
    sign = 1 if study.direction is StudyDirection.MINIMIZE else -1
    found = [result for result in results(study) if result.state == "complete" and result.score is not None]
    return sorted(found, key=lambda result: (sign * (result.score or 0.0), result.place))


def chosen(study: optuna.Study, place: int | None) -> Result:
    """A completed trial: the one at a place, or the best.

    Raises:
        DataError: there is none.
    """
    found = ranked(study)
    wanted = [result for result in found if place in (None, result.place)]
    if not wanted:
        missing = "no trial has been completed yet" if place is None else f"trial {place} has not been completed"
        raise DataError(missing, "`wenhuo search show` lists the trials; `wenhuo search run` goes on")
    return wanted[0]


def importance(study: optuna.Study) -> dict[str, float]:
    """How much of the score's course follows each parameter, as shares that add up to 1; none when too few are done.

    By PED-ANOVA (Watanabe et al. 2023): what separates the best trials from the others.
    """
    if len(ranked(study)) < ENOUGH:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the best are as good as the others
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    except (UserWarning, RuntimeError, ValueError):
        return {}
    return {name: float(share) for name, share in found.items()}


def counts(study: optuna.Study) -> str:
    """How many trials ended how."""
    found = Counter(result.state for result in results(study))
    return ", ".join(f"{found[state]} {state}" for state in STATES.values() if found[state]) or "none yet"


def table(study: optuna.Study, objective: str) -> Table:
    """The best trials and their parameters."""
    best = ranked(study)[:BEST]
    names = list(best[0].values) if best else []
    made = Table("trial", SPOKEN[objective], *names, box=None, header_style="bold", padding=(0, 3, 0, 0))
    for column in made.columns[:2]:
        column.justify = "right"
    for result in best:
        made.add_row(str(result.place), f"{result.score:.4f}", *(value_text(result.values.get(name)) for name in names))
    return made


def write_trials(study: optuna.Study, path: Path) -> None:
    """All trials that have ended as CSV, whole or not at all."""
    found = results(study)
    names = list(dict.fromkeys(name for result in found for name in result.values))
    with whole(path) as made, made.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", "score", "epochs", *names, "reason"])
        for r in found:
            values = [value_text(r.values[name]) if name in r.values else "" for name in names]
            writer.writerow([r.place, r.state, r.score, r.epochs, *values, r.reason])
