"""One trial: encode where the encoder changes, train by the stage's own code, end early where it is behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock

from wenhuo.encoding import corpus
from wenhuo.lineage import Identity
from wenhuo.search.changes import Setting, setting
from wenhuo.search.project import ENCODED, PARTS, SUSPECTS, Plan
from wenhuo.search.studies import Claimed
from wenhuo.tracking.candidates import Candidate, LiveRun
from wenhuo.training import candidate
from wenhuo.training.history import Point
from wenhuo.training.interruption import Interrupted
from wenhuo.training.options import LinearCandidate

CHOSEN_BY = "validation/macro_f1"
"""By which a training keeps an epoch (wenhuo.training.loop)."""


def train(plan: Plan, claimed: Claimed, parent_run: str) -> float:
    """Train what a trial asks for, in the project's folder; return its score. Its curves go to MLflow as they come.

    Args:
        plan: of the study.
        claimed: the trial.
        parent_run: the id of the search's run in MLflow; empty when there is none.

    Raises:
        optuna.TrialPruned: it is behind the others.
        KeyboardInterrupt: a signal asked the training to end; its checkpoint is saved.
        WenhuoError: it cannot be trained.
    """
    chosen = setting(plan.base, claimed.values)
    encoded = _encoded(plan, chosen)
    card = corpus.read_card(encoded)
    tags = {"wenhuo.search": plan.name} | ({"mlflow.parentRunId": parent_run} if parent_run else {})
    known = Candidate(
        Identity(f"search@{plan.name}", _key(plan, claimed.place)),
        f"{plan.name} trial {claimed.place}",
        candidate.parameters(chosen.candidate, plan.base.seed, card),
        card["dataset"],
        tags,
    )
    folder = plan.folder / f"trial-{claimed.place:04d}-{_short(claimed.values)}"
    with LiveRun(known) as live:
        points = _train(plan, claimed, chosen, encoded, folder, live.log)
        found = score(points, plan.search.objective)
        live.log([Point(points[-1].step, points[-1].epoch, "score", found)])
    return found


def forget(plan: Plan, place: int) -> None:
    """Delete a trial's model and checkpoints."""
    for folder in plan.folder.glob(f"trial-{place:04d}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def score(points: Sequence[Point], objective: str) -> float:
    """The objective's value at the epoch whose weights the training kept: the first of the highest macro-F1."""
    kept = max((point for point in points if point.metric == CHOSEN_BY), key=lambda point: point.value)
    values = [point.value for point in points if point.metric == f"validation/{objective}" and point.step == kept.step]
    return values[0]


def _train(
    plan: Plan,
    claimed: Claimed,
    chosen: Setting,
    encoded: Path,
    folder: Path,
    log: Callable[[list[Point]], None],
) -> list[Point]:
    model = folder / "model"
    shutil.rmtree(model, ignore_errors=True)
    model.mkdir(parents=True)
    if isinstance(chosen.candidate, LinearCandidate):
        points = candidate.train_linear(chosen.candidate, plan.base.seed, encoded, model)
        log(points)
        return points
    watch = _watch(claimed.trial, plan.search.objective, chosen.candidate.epochs, log)
    checkpoints = folder / "checkpoints"
    try:
        return candidate.train_transformer(chosen.candidate, plan.base.seed, encoded, model, checkpoints, watch)
    except Interrupted:
        raise KeyboardInterrupt from None


def _watch(
    trial: optuna.Trial, objective: str, epochs: int, log: Callable[[list[Point]], None]
) -> Callable[[list[Point]], None]:
    """Hand on points of the curves; ask after each epoch but the last whether the trial may go on."""
    parent, done = os.getppid(), 0

    def watch(points: list[Point]) -> None:
        nonlocal done
        log(points)
        for point in points:
            if point.metric != f"validation/{objective}":
                continue
            done += 1
            trial.report(point.value, done)
            if done < epochs and trial.should_prune():
                raise optuna.TrialPruned
        if os.getppid() != parent:  # who looked after this process is gone
            raise KeyboardInterrupt

    return watch


def _encoded(plan: Plan, chosen: Setting) -> Path:
    """The folder of the rows as the trial's encoder makes them; made once for all trials that share it."""
    name = chosen.candidate.encoder
    if chosen.encoder == plan.base.encoders[name]:
        return ENCODED / name
    target = plan.folder / f"encoded-{_short(chosen.encoder.model_dump(mode='json'))}"
    with FileLock(f"{target}.lock"):
        if not target.exists():
            dataset, _ = corpus.follow(corpus.read_dataset(PARTS), SUSPECTS)
            corpus.encode(chosen.encoder, dataset, target)
    return target


def _short(values: dict[str, Any]) -> str:
    """Some values as part of a folder's name."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


def _key(plan: Plan, place: int) -> str:
    """The identity of a trial's run: the same when it is tried again, so that it goes on in that run."""
    return hashlib.sha256(f"{plan.key} {place}".encode()).hexdigest()
