"""The run of a candidate: curves while it trains, figures and pictures once it is evaluated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from wenhuo.console import say
from wenhuo.errors import TrackingError
from wenhuo.lineage import PREFIX, Identity, data_tags
from wenhuo.tracking.runs import last_steps, log_parameters, log_points, log_values, open_run
from wenhuo.tracking.store import connect, first_line
from wenhuo.training.history import Point

SECONDS_BETWEEN_TRIES = 60.0


@dataclass(frozen=True)
class Candidate:
    """What a run says of a candidate.

    Attributes:
        identity: of the stage instance that trains it.
        name: its name in ``params.yaml``.
        parameters: its parameters and its encoder's.
        dataset: what ``dataset.json`` says of the data.
        tags: more tags of the run.
    """

    identity: Identity
    name: str
    parameters: dict[str, Any]
    dataset: dict[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class LiveRun:
    """The run of a candidate in training. MLflow may go away and come back: training does not depend on it."""

    candidate: Candidate
    _client: MlflowClient | None = None
    _run_id: str = ""
    _last: dict[str, int] = field(default_factory=dict)
    _waiting: list[Point] = field(default_factory=list)
    _failed_at: float = -1e9

    def __enter__(self) -> LiveRun:
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
        self._failed_at = -1e9
        self._try(lambda client: self._close(client, status))

    def _close(self, client: MlflowClient, status: str) -> None:
        self._flush(client)
        client.set_terminated(self._run_id, status)

    def _flush(self, client: MlflowClient) -> None:
        log_points(client, self._run_id, self._waiting, self._last)
        self._waiting = []

    def _try(self, action: Callable[[MlflowClient], Any]) -> None:
        """Do what needs MLflow; when it is away say so, go on, and try again after a minute."""
        if time.monotonic() - self._failed_at < SECONDS_BETWEEN_TRIES:
            return
        try:
            if self._client is None:
                self._client = connect()
                self._run_id, self._last = open_candidate(self._client, self.candidate)
            action(self._client)
        except (TrackingError, MlflowException, OSError) as error:
            self._client, self._failed_at = None, time.monotonic()
            say(f"MLflow is away; training goes on, and evaluate logs what is missing ({first_line(error)})")


def open_candidate(client: MlflowClient, candidate: Candidate) -> tuple[str, dict[str, int]]:
    """Find or make a candidate's run; return its id and the last step of each of its metrics."""
    tags = {f"{PREFIX}candidate": candidate.name, **candidate.tags} | data_tags(candidate.dataset)
    run = open_run(client, candidate.identity, candidate.name, tags)
    log_parameters(client, run.info.run_id, candidate.parameters)
    if not run.inputs.dataset_inputs:
        client.log_inputs(run.info.run_id, _inputs(candidate.dataset))
    return run.info.run_id, last_steps(client, run)


def _inputs(dataset: dict[str, Any]) -> list[DatasetInput]:
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
            [InputTag("mlflow.data.context", split)],
        )
        for split, rows in dataset["rows"].items()
    ]


def log_evaluation(
    candidate: Candidate,
    points: Sequence[Point],
    figures: dict[str, float],
    pictures: Path,
    tables: Sequence[Path],
    pages: Sequence[Path] = (),
) -> None:
    """Complete a candidate's run with figures, pictures, tables and pages, and with what its curves may lack.

    Args:
        candidate: whose run it is; the run is made when this store has none.
        points: the whole course of its training.
        figures: flat names such as ``test/macro_f1`` to values.
        pictures: a folder, logged as ``plots``.
        tables: files, logged under ``tables``.
        pages: files that MLflow's own pages show, logged under ``pages``.

    Raises:
        TrackingError: MLflow does not answer.
    """
    client = connect()
    try:
        run_id, last = open_candidate(client, candidate)
        log_points(client, run_id, points, last)
        log_values(client, run_id, figures)
        client.log_artifacts(run_id, str(pictures), "plots")
        for place, files in {"tables": tables, "pages": pages}.items():
            for file in files:
                client.log_artifact(run_id, str(file), place)
        client.set_terminated(run_id, "FINISHED")
    except MlflowException as error:
        raise TrackingError(
            f"MLflow refused the evaluation of {candidate.name}: {first_line(error)}", "run again"
        ) from None
