"""Studies and their trials, kept by Optuna in ``data/search/studies.db``: begun, claimed, ended, taken up again.

A trial that loses its process (kill -9, a signal, a machine that goes down) is marked failed, and its parameters are
queued to be tried again in its place; it goes on from its training's last checkpoint. What is tried in a place depends
on the seed, the place and the results so far, not on how often the search was interrupted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import psutil
from filelock import FileLock
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from wenhuo.errors import DataError
from wenhuo.search.changes import standing
from wenhuo.search.project import KEPT, Plan

STORAGE = "studies.db"
SECONDS_TO_WAIT = 60
"""For other processes that write to the storage."""
TRIES = 3
"""A trial whose process dies so often counts as failed: it may be what kills it."""
CLOCK = 5.0
"""Seconds by which a process's start may seem to move when a clock is set."""


@dataclass(frozen=True)
class Claimed:
    """A trial that this process is to carry out; ``place`` counts trials from 1, however often each was tried."""

    trial: Trial
    place: int
    values: dict[str, Any]


def begin(root: Path, plan: Plan) -> optuna.Study:
    """The study of a plan; a new one tries the candidate as it stands first, where the space holds it."""
    kept = _storage(root)
    with locked(root, plan):
        goal = StudyDirection.MINIMIZE if plan.search.objective == "loss" else StudyDirection.MAXIMIZE
        study = optuna.create_study(
            storage=kept, study_name=_name(plan), direction=goal, pruner=_pruner(plan), load_if_exists=True
        )
        if "key" not in study.user_attrs:
            first = standing(plan.base, plan.search)
            if first is not None:
                study.enqueue_trial(first, skip_if_exists=True)
            study.set_user_attr("key", plan.key)
    return study


def find(root: Path, plan: Plan) -> optuna.Study:
    """The study of a plan.

    Raises:
        DataError: it has none yet.
    """
    if (root / KEPT / STORAGE).exists():
        names = optuna.get_all_study_names(kept := _storage(root))
        if _name(plan) in names:
            return optuna.load_study(study_name=_name(plan), storage=kept)
        if any(name.startswith(f"{plan.name} ") for name in names):
            raise DataError(
                f"{plan.name}: there are studies, but of other data, other fixed parameters or another space",
                f"`wenhuo search run {plan.name}` begins one",
            )
    raise DataError(f"{plan.name}: nothing has been tried yet", f"run `wenhuo search run {plan.name}`")


def _storage(root: Path) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = (root / KEPT).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # two processes that make the tables at once fail
        return optuna.storages.RDBStorage(
            f"sqlite:///{folder / STORAGE}", engine_kwargs={"connect_args": {"timeout": SECONDS_TO_WAIT}}
        )


def _name(plan: Plan) -> str:
    return f"{plan.name} {plan.key[:12]}"


def _pruner(plan: Plan) -> optuna.pruners.BasePruner:
    """By the validation score of each epoch; the first epoch, most of it warm-up, is nobody's last by the median."""
    if plan.search.prune == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2, n_min_trials=3)
    if plan.search.prune == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)
    return optuna.pruners.NopPruner()


@contextmanager
def locked(root: Path, plan: Plan) -> Iterator[None]:
    """One process at a time decides what is tried."""
    folder = root / plan.folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield


def places(study: optuna.Study) -> dict[int, FrozenTrial]:
    """The trials that count, by place: those that ended by themselves or are being carried out."""
    found = {}
    for trial in study.get_trials(deepcopy=False):
        if trial.state is not TrialState.WAITING and "place" in trial.user_attrs and "lost" not in trial.user_attrs:
            found[int(trial.user_attrs["place"])] = trial
    return dict(sorted(found.items()))


def ended(study: optuna.Study) -> dict[int, FrozenTrial]:
    """The trials that ended by themselves, by place."""
    return {place: trial for place, trial in places(study).items() if trial.state.is_finished()}


def claim(root: Path, study: optuna.Study, plan: Plan, trials: int) -> Claimed | None:
    """The next trial, unless there are ``trials`` already; what lost its process comes first."""
    with locked(root, plan):
        taken = places(study)
        if len(taken) >= trials:
            return None
        free = next(place for place in range(1, len(taken) + 2) if place not in taken)
        study.sampler = optuna.samplers.TPESampler(seed=_seed(plan.search.seed, free))
        trial = study.ask({path: space.distribution() for path, space in plan.search.space.items()})
        place = int(trial.user_attrs.get("place", free))
        values = {path: space.value(trial.params[path]) for path, space in plan.search.space.items()}
        trial.set_user_attr("place", place)
        trial.set_user_attr("values", values)
        trial.set_user_attr("process", _process(os.getpid()))
        return Claimed(trial, place, values)


def _seed(seed: int, place: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {place}".encode()).digest()[:4], "big")


def _process(number: int) -> list[float]:
    return [number, psutil.Process(number).create_time()]


def fail(trial: Trial, study: optuna.Study, reason: str, *, counts: bool = True) -> None:
    """Mark a trial failed; one that does not count leaves its place free."""
    trial.set_user_attr("reason", reason)
    if not counts:
        trial.set_user_attr("lost", reason)
    study.tell(trial, state=TrialState.FAIL)


def release(trial: Trial, study: optuna.Study, reason: str) -> None:
    """Mark a trial failed that did not end by itself, and queue it to be tried again in its place."""
    attributes: dict[str, Any] = {name: at for name, at in trial.user_attrs.items() if name in ("place", "tries")}
    fail(trial, study, reason, counts=False)
    study.enqueue_trial(trial.params, user_attrs=attributes)


def reclaim(root: Path, study: optuna.Study, plan: Plan) -> int:
    """Release the trials whose process is gone; how many."""
    with locked(root, plan):
        gone = [t for t in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) if not _alive(t)]
        for frozen in gone:
            _take_back(Trial(study, frozen._trial_id), study)
    return len(gone)


def _take_back(trial: Trial, study: optuna.Study) -> None:
    if "process" not in trial.user_attrs:  # killed while it was claimed
        fail(trial, study, "its process was killed", counts=False)
        return
    tries = int(trial.user_attrs.get("tries", 0)) + 1
    if tries == TRIES:
        fail(trial, study, f"its process was killed {TRIES} times")
        return
    trial.set_user_attr("tries", tries)
    release(trial, study, "its process was killed")


def _alive(trial: FrozenTrial) -> bool:
    number, began = trial.user_attrs.get("process", (-1, 0.0))
    try:
        process = psutil.Process(int(number))
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - began) < CLOCK
    except (psutil.Error, ValueError):
        return False
