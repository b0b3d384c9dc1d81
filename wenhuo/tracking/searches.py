"""The run of a search, which the runs of its trials hang below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException

from wenhuo.console import say
from wenhuo.errors import TrackingError
from wenhuo.lineage import PREFIX, Identity, data_tags
from wenhuo.tracking.runs import log_parameters, log_values, open_run
from wenhuo.tracking.store import connect, first_line


@dataclass(frozen=True)
class SearchRun:
    """What the run of a search says.

    Attributes:
        identity: of the study.
        name: of the search.
        parameters: its declaration and what it leaves as it is.
        dataset: what ``dataset.json`` says of the data.
    """

    identity: Identity
    name: str
    parameters: dict[str, Any]
    dataset: dict[str, Any]


def open_search(root: Path, search: SearchRun) -> str:
    """Find or make the run of a search; return its id, or nothing when MLflow is away: the search goes on."""
    try:
        client = connect(root)
        tags = search.identity.tags() | {f"{PREFIX}search": search.name} | data_tags(search.dataset, root)
        run = open_run(client, search.identity, f"search {search.name}", tags)
        log_parameters(client, run.info.run_id, search.parameters)
    except (TrackingError, MlflowException, OSError) as error:
        say(f"MLflow is away; the search goes on without it ({first_line(error)})")
        return ""
    return str(run.info.run_id)


def close_search(root: Path, run_id: str, figures: dict[str, float], files: Sequence[Path], *, ended: bool) -> None:
    """Show what a search has found so far in its run, and close it: FINISHED, or KILLED when it was stopped.

    Args:
        root: the project's folder.
        run_id: of its run; empty when there is none.
        figures: names to values.
        files: pictures and tables.
        ended: all of its trials have been tried.
    """
    if not run_id:
        return
    try:
        client = connect(root)
        log_values(client, run_id, figures)
        for file in files:
            client.log_artifact(run_id, str(file))
        client.set_terminated(run_id, "FINISHED" if ended else "KILLED")
    except (TrackingError, MlflowException, OSError) as error:
        say(f"MLflow is away; the search's results are in its own storage ({first_line(error)})")
