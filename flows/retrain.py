"""Rebuild what has changed: the flow that runs the stages of ``dvc.yaml`` as Prefect task runs.

    python -m flows.retrain [--jobs N] [--target STAGE …]

needs no server started by hand. It leaves the ``dvc.lock`` that ``dvc repro`` would leave.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":  # before Prefect is imported, which reads its settings then
    from flows.command import main

    sys.exit(main(sys.argv[1:]))

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from logging import LogRecord, getLogger
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from prefect import Task, allow_failure, flow, get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from flows.children import Children
from flows.environment import child_environment
from flows.execution import MARK, Ending, Execution, Outcome, prepare
from wenhuo.console import say
from wenhuo.errors import GraphError, WenhuoError
from wenhuo.graph import Stage, lock_order, order_lock

terminal: ContextVar[bool] = ContextVar("terminal", default=False)
"""Whether what happens is also printed: set by the command line, not under a worker, where Prefect prints the logs."""

_printing = threading.Lock()
NOT_RUN = "Not run"
"""The name of the state of a stage whose upstream failed."""


@flow(name="retrain", persist_result=False, cache_result_in_memory=False)
def retrain(targets: list[str] | None = None, jobs: int = 2, root: str = ".") -> State[Any]:
    """Rebuild what has changed: each stage of dvc.yaml is a task run, and those that are up to date start no process.

    Args:
        targets: stages to build with all they depend on, such as train@mini; none means the whole graph.
        jobs: how many stages may run side by side.
        root: the project's folder.
    """
    project = Path(root).resolve()
    getLogger("prefect.task_runs").addFilter(_worth_saying)
    try:
        with _alone(project):
            execution = prepare(project, targets or [], jobs, child_environment(str(flow_run.id)))
            before = lock_order(project)
            with _ending_with(execution.children):
                _run_all(execution)
            order_lock(project, [*before, *(name for name in execution.graph if name not in before)])
    except WenhuoError as error:
        return Failed(message=str(error))
    return _conclusion(execution)


def _worth_saying(record: LogRecord) -> bool:
    """Not Prefect's own line for a failed state, which ends in "NoneType: None": the stage's last line says why."""
    return record.exc_info != (None, None, None)


def _run_all(execution: Execution) -> None:
    futures: dict[str, PrefectFuture[Any]] = {}
    for addressing, stage in execution.graph.items():
        upstream = [allow_failure(futures[name]) for name in stage.upstream]
        futures[addressing] = _as_task(stage, execution).submit(wait_for=upstream, return_state=False)
    wait(list(futures.values()))


def _as_task(stage: Stage, execution: Execution) -> Task[[], State[Any]]:
    """A Prefect task of one stage. It is asked to wait for its upstream even when that fails, and then says so."""
    width = max(map(len, execution.graph))

    def carry_out() -> State[Any]:
        tell = _teller(stage.addressing.ljust(width))
        ending = execution.carry_out(stage, tell)
        tell(_last_line(ending))
        return _state(ending)

    name = stage.addressing.replace("{", "{{").replace("}", "}}")  # Prefect takes it for a format
    return Task(
        carry_out,
        name=stage.addressing,
        task_run_name=name,
        description=stage.desc,
        retries=int(stage.meta.get("retries", 0)),
        retry_delay_seconds=stage.meta.get("retry_delay_seconds", 0),
        retry_condition_fn=lambda _task, _run, state: state.name != NOT_RUN,
        cache_policy=NO_CACHE,
        persist_result=False,
    )


def _teller(name: str) -> Callable[[str], None]:
    logger, printed = get_run_logger(), terminal.get()

    def tell(line: str) -> None:
        logger.info(line.removeprefix(MARK))
        if printed:
            with _printing:
                say(f"{name} {line}")

    return tell


def _last_line(ending: Ending) -> str:
    match ending.outcome:
        case Outcome.CACHED:
            return "· cached"
        case Outcome.RUN | Outcome.SAME:
            return f"✔ {ending.seconds:.1f} s"
        case Outcome.FAILED:
            return f"✘ failed after {ending.seconds:.1f} s: {ending.reason}"
    return f"– {ending.outcome.value}: {ending.reason}"


def _state(ending: Ending) -> State[Any]:
    match ending.outcome:
        case Outcome.CACHED:
            return Completed(name="Cached", message="nothing it depends on has changed")
        case Outcome.RUN | Outcome.SAME:
            return Completed(message=ending.outcome.value)
        case Outcome.FAILED:
            return Failed(message=ending.reason)
        case Outcome.SKIPPED:  # of type Failed, because Prefect lets a task run after a failed one but no other
            return Failed(name=NOT_RUN, message=ending.reason)
    return Cancelled(message=ending.reason)


def _conclusion(execution: Execution) -> State[Any]:
    """The flow run's state: which stages failed and which therefore did not run, or how many ran."""
    named: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for addressing in execution.graph:
        ending = execution.endings.get(addressing, Ending(Outcome.STOPPED))
        named[ending.outcome].append(addressing)
    failed, others = named[Outcome.FAILED], named[Outcome.SKIPPED] + named[Outcome.STOPPED]
    if failed or others:
        reasons = [f"{name} failed: {execution.endings[name].reason}" for name in failed]
        return Failed(message="; ".join(reasons + [f"not run: {', '.join(others)}"] * bool(others)))
    ran = len(named[Outcome.RUN]) + len(named[Outcome.SAME])
    return Completed(message=f"{ran} {'stage' if ran == 1 else 'stages'} run, {len(named[Outcome.CACHED])} cached")


@contextlib.contextmanager
def _alone(project: Path) -> Iterator[None]:
    """Refuse to run beside another retrain of the same project: both would start the same stages."""
    folder = project / ".dvc" / "tmp"
    if not folder.parent.is_dir():
        raise GraphError(f"{project} is in no DVC repository", "run `dvc init` in the project's folder")
    folder.mkdir(exist_ok=True)
    try:
        with FileLock(folder / "retrain.lock", timeout=0):
            yield
    except Timeout:
        raise GraphError("another retrain is at work in this project", "wait until it has ended, or stop it") from None


@contextlib.contextmanager
def _ending_with(children: Children) -> Iterator[None]:
    """End the children when the block is left by an interrupt or by SIGTERM; the second such signal kills at once."""
    try:
        yield
    except BaseException:
        impatient = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
        with contextlib.suppress(ValueError):  # not in the main thread
            for number, _ in impatient:
                signal.signal(number, lambda *_: children.stop(grace=0))
        children.stop()
        with contextlib.suppress(ValueError):
            for number, handler in impatient:
                signal.signal(number, handler)
        raise
