"""The run of a candidate: curves while it trains, figures and pictures once it is evaluated."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from wenhuo.console import say
from wenhuo.errors import TrackingError
from wenhuo.files import sha256
from wenhuo.keeping import keep_measured, keep_run, kept_run
from wenhuo.lineage import LOCK, PREFIX, Identity, data_tags, split_tags
from wenhuo.tracking.runs import find_run, last_steps, log_parameters, log_points, log_values, open_run, set_tags
from wenhuo.tracking.store import connect, first_line
from wenhuo.training.history import Point

SECONDS_BETWEEN_TRIES = 60.0
SHARE_OF_TIME = 0.1
"""A server that hangs instead of refusing takes a minute a try; no more than this share of a training is lost so."""
EVALUATION = f"{PREFIX}evaluation"
"""The tag that says which evaluation a run shows, so that showing the same again costs nothing."""


@dataclass(frozen=True)
class Candidate:
    """What a run says of a candidate.

    Attributes:
        identity: of the stage instance that trains it.
        name: its name in ``params.yaml``.
        parameters: its parameters and its encoder's.
        dataset: what ``dataset.json`` says of the data.
        tags: more tags of the run.
        root: the project's folder.
        known: all that its run says, where that is known already.
    """

    identity: Identity
    name: str
    parameters: dict[str, Any]
    dataset: dict[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path()
    known: Mapping[str, Any] | None = None

    def told(self) -> Mapping[str, Any]:
        """All that its run says but curves and figures: what was kept when it was made, else what is known now."""
        if self.known is not None:
            return self.known
        kept = kept_run(self.root, self.identity.key) if self.identity.in_graph else None
        if kept is not None:
            return kept
        own = self.identity.names() if self.identity.made else self.identity.tags()
        tags = own | {f"{PREFIX}candidate": self.name, **self.tags} | data_tags(self.dataset, self.root)
        told = {"stage": self.identity.stage, "key": self.identity.key, "name": self.name}
        split = split_tags(self.root) if self.identity.in_graph else {}
        return {**told, "parameters": self.parameters, "dataset": self.dataset, "split": split, "tags": tags}


@dataclass
class LiveRun:
    """The run of a candidate in training. MLflow may go away and come back: training does not depend on it.

    When the training ends well, what its run says is kept in git's part of the project, so that the run can be made
    again where there is none.
    """

    candidate: Candidate
    _told: Mapping[str, Any] = field(default_factory=dict)
    _client: MlflowClient | None = None
    _run_id: str = ""
    _last: dict[str, int] = field(default_factory=dict)
    _waiting: list[Point] = field(default_factory=list)
    _next_try: float = -1e9
    _away: bool = False

    def __enter__(self) -> LiveRun:
        self._told = self.candidate.told()
        self._try(lambda client: None)
        return self

    def log(self, points: Sequence[Point]) -> None:
        """Log points of the curves; those that MLflow has already are left out."""
        self._waiting += points
        self._try(self._flush)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the run: FINISHED; KILLED when stopped (after a signal, running again continues it); else FAILED."""
        stopped = kind is not None and kind.__name__ in {"Interrupted", "KeyboardInterrupt", "TrialPruned"}
        status = "FINISHED" if kind is None else "KILLED" if stopped else "FAILED"
        if kind is None and self.candidate.identity.in_graph:
            keep_run(self.candidate.root, self.candidate.identity.key, self._told)
        self._next_try = -1e9
        self._try(lambda client: self._close(client, status))

    def _close(self, client: MlflowClient, status: str) -> None:
        self._flush(client)
        client.set_terminated(self._run_id, status)

    def _flush(self, client: MlflowClient) -> None:
        log_points(client, self._run_id, self._waiting, self._last)
        self._waiting = []

    def _try(self, action: Callable[[MlflowClient], Any]) -> None:
        """Do what needs MLflow; when it is away say so once, go on, and try again after a minute or more."""
        began = time.monotonic()
        if began < self._next_try:
            return
        try:
            if self._client is None:
                self._client = connect(self.candidate.root)
                self._run_id, self._last = open_told(self._client, self.candidate.identity, self._told)
            action(self._client)
        except (TrackingError, MlflowException, OSError) as error:
            self._client, now = None, time.monotonic()
            self._next_try = now + max(SECONDS_BETWEEN_TRIES, (now - began) / SHARE_OF_TIME)
            if not self._away:
                say(f"MLflow is away; training goes on, and evaluate logs what is missing ({first_line(error)})")
            self._away = True
        else:
            if self._away:
                say("MLflow is back; what was missing is logged")
            self._away = False


def open_candidate(client: MlflowClient, candidate: Candidate) -> tuple[str, dict[str, int]]:
    """Find or make a candidate's run; return its id and the last step of each of its metrics."""
    return open_told(client, candidate.identity, candidate.told())


def open_told(client: MlflowClient, identity: Identity, told: Mapping[str, Any]) -> tuple[str, dict[str, int]]:
    """Find or make the run of a stage that says what :meth:`Candidate.told` gave."""
    run = open_run(client, identity, told["name"], told["tags"])
    log_parameters(client, run.info.run_id, told["parameters"])
    if not run.inputs.dataset_inputs:
        client.log_inputs(run.info.run_id, _inputs(told["dataset"], told["split"]))
    return run.info.run_id, last_steps(client, run)


def _inputs(dataset: Mapping[str, Any], split_tags: Mapping[str, str]) -> list[DatasetInput]:
    """The splits as MLflow's dataset inputs; the digest is the hash of the rows' ids."""
    return [
        DatasetInput(
            Dataset(
                name=f"{dataset['source']} ({split})"[-500:],
                digest=dataset["hash"][split][:36],
                source_type="dvc",
                source=f"data/split/{split}.parquet",
                profile=f'{{"num_rows": {rows}}}',
            ),
            [InputTag("mlflow.data.context", split), *(InputTag(name, value) for name, value in split_tags.items())],
        )
        for split, rows in dataset["rows"].items()
    ]


@dataclass(frozen=True)
class Evaluation:
    """What a run shows once its candidate was measured.

    Attributes:
        points: the whole course of its training.
        figures: flat names such as ``test/macro_f1`` to values.
        measured: those that a clock gave; the first ones are kept, since DVC holds none.
        pictures: a folder, logged as ``plots``.
        tables: files, logged under ``tables``.
        pages: files that MLflow's own pages show, logged under ``pages``.
    """

    points: Sequence[Point]
    figures: Mapping[str, float]
    pictures: Path
    measured: Mapping[str, float] = field(default_factory=dict)
    tables: Sequence[Path] = ()
    pages: Sequence[Path] = ()

    def digest(self) -> str:
        """SHA-256 over all of it, in hexadecimal."""
        files = [path for path in sorted(self.pictures.rglob("*")) if path.is_file()]
        hashes = [(path.relative_to(self.pictures).as_posix(), sha256(path)) for path in files]
        hashes += [(path.name, sha256(path)) for path in (*self.tables, *self.pages)]
        content = [list(self.points), dict(self.figures), hashes]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def log_evaluation(candidate: Candidate, evaluation: Evaluation) -> bool:
    """Complete a candidate's run, made when this store has none, with an evaluation and with what its curves may lack.

    Returns:
        Whether anything was missing.

    Raises:
        TrackingError: MLflow does not answer.
    """
    key, digest = candidate.identity.key, evaluation.digest()
    measured, lock = dict(evaluation.measured), None
    if candidate.identity.in_graph:
        measured, lock = keep_measured(candidate.root, key, measured)
    client = connect(candidate.root)
    try:
        found = find_run(client, key)
        if found is not None and found.data.tags.get(EVALUATION) == digest and found.info.status == "FINISHED":
            return False
        run_id, last = open_candidate(client, candidate)
        log_points(client, run_id, evaluation.points, last)
        log_values(client, run_id, {**evaluation.figures, **measured})
        client.log_artifacts(run_id, str(evaluation.pictures), "plots")
        for place, files in {"tables": evaluation.tables, "pages": evaluation.pages}.items():
            for file in files:
                client.log_artifact(run_id, str(file), place)
        set_tags(client, run_id, {EVALUATION: digest} | ({LOCK: lock} if lock else {}))
        client.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        raise TrackingError(
            f"MLflow refused the evaluation of {candidate.name}: {first_line(error)}", "run again"
        ) from None
    return True


def log_course(candidate: Candidate, points: Sequence[Point]) -> bool:
    """Complete the run of a training that no evaluation is shown of; return whether anything was missing.

    Raises:
        TrackingError: MLflow does not answer.
    """
    client = connect(candidate.root)
    try:
        found = find_run(client, candidate.identity.key)
        before = last_steps(client, found) if found is not None else {}
        fresh = [point for point in points if point.step > before.get(point.metric, -1)]
        if found is not None and not fresh and found.info.status == "FINISHED":
            return False
        run_id, last = open_candidate(client, candidate)
        log_points(client, run_id, points, last)
        client.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        raise TrackingError(f"MLflow refused the run of {candidate.name}: {first_line(error)}", "run again") from None
    return True
