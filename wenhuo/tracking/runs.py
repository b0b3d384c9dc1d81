"""Runs: found by the key of their stage, written so that writing the same again changes nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.tracking import MlflowClient

from wenhuo.lineage import PREFIX, Identity
from wenhuo.tracking.store import experiment_id
from wenhuo.training.history import Point

METRICS_AT_ONCE = 1000
PARAMETERS_AT_ONCE = 100
LONGEST_PARAMETER = 6000
LONGEST_TAG = 8000


def find_run(client: MlflowClient, key: str) -> Run | None:
    """The run of the stage with this key, the oldest if there were several."""
    wanted = f"tags.`{PREFIX}stage_key` = '{key}'"
    found = client.search_runs([experiment_id(client)], wanted, order_by=["attributes.start_time"], max_results=1)
    return found[0] if found else None


def open_run(client: MlflowClient, identity: Identity, name: str, tags: dict[str, str]) -> Run:
    """The run of a stage instance, made when there is none; its status becomes RUNNING.

    Args:
        client: of the store.
        identity: by which it is found again.
        name: of a new run.
        tags: all that it says of where and of what it was made.
    """
    every = identity.names() | tags
    run = find_run(client, identity.key)
    if run is None:
        return client.create_run(experiment_id(client), run_name=name, tags=_cut(every))
    client.update_run(run.info.run_id, status="RUNNING")
    set_tags(client, run.info.run_id, every)
    return run


def set_tags(client: MlflowClient, run_id: str, tags: dict[str, str]) -> None:
    """Set tags of a run, each cut to what MLflow takes."""
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in _cut(tags).items()])


def _cut(tags: dict[str, str]) -> dict[str, str]:
    return {name: value[:LONGEST_TAG] for name, value in tags.items()}


def log_parameters(client: MlflowClient, run_id: str, values: dict[str, Any]) -> None:
    """Log parameters, nested ones with dotted names; those a run already has stay as they are."""
    known = client.get_run(run_id).data.params
    flat = {name: str(value)[:LONGEST_PARAMETER] for name, value in _flat(values).items() if name not in known}
    parameters = [Param(name, value) for name, value in flat.items()]
    for start in range(0, len(parameters), PARAMETERS_AT_ONCE):
        client.log_batch(run_id, params=parameters[start : start + PARAMETERS_AT_ONCE])


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def log_points(client: MlflowClient, run_id: str, points: Sequence[Point], last: dict[str, int]) -> None:
    """Log the points of curves that lie beyond ``last`` (metric to step), and move ``last`` on."""
    now = int(time.time() * 1000)
    fresh = [point for point in points if point.step > last.get(point.metric, -1)]
    for start in range(0, len(fresh), METRICS_AT_ONCE):
        chunk = fresh[start : start + METRICS_AT_ONCE]
        client.log_batch(run_id, metrics=[Metric(p.metric, p.value, now, p.step) for p in chunk])
        last.update({p.metric: p.step for p in chunk})


def log_values(client: MlflowClient, run_id: str, values: dict[str, float]) -> None:
    """Log metrics that have no course, at step 0; a value that stands there already is not logged again."""
    known = client.get_run(run_id).data.metrics
    now = int(time.time() * 1000)
    fresh = [Metric(name, value, now, 0) for name, value in values.items() if known.get(name) != value]
    for start in range(0, len(fresh), METRICS_AT_ONCE):
        client.log_batch(run_id, metrics=fresh[start : start + METRICS_AT_ONCE])


def last_steps(client: MlflowClient, run: Run) -> dict[str, int]:
    """The last step of every metric of a run."""
    run_id = run.info.run_id
    return {name: max(m.step for m in client.get_metric_history(run_id, name)) for name in run.data.metrics}
