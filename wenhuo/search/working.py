"""A worker: one trial after the other, until there are enough or somebody asks it to end."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path
from types import FrameType

import optuna
from optuna.trial import TrialState

from wenhuo.console import say
from wenhuo.errors import DataError, ModelError, SettingsError, WenhuoError
from wenhuo.search import studies, trials
from wenhuo.search.crew import write_mistake
from wenhuo.search.project import Plan, folder_of, make_plan
from wenhuo.search.studies import Claimed

HOPELESS = 3
"""When so many trials have ended and all of them failed, there is something wrong with more than one of them."""


def work_for(name: str, wanted: int, study: str, parent_run: str) -> bool:
    """Be a worker in the project's folder; whether nobody asked it to end.

    Args:
        name: of the search.
        wanted: trials in all.
        study: the key of the study that is worked on.
        parent_run: the id of the search's run in MLflow; empty when there is none.

    Raises:
        WenhuoError: a mistake that other workers would meet as well; it is left for the one who started this.
    """
    try:
        plan = make_plan(Path(), name)
        if plan.key != study:
            raise SettingsError(
                "params.yaml, search.yaml or the data were changed while the search ran", "start it again"
            )
        work(plan, wanted, parent_run)
    except KeyboardInterrupt:
        return False
    except WenhuoError as error:
        write_mistake(folder_of(study), error)
        raise
    return True


def work(plan: Plan, wanted: int, parent_run: str) -> None:
    """Carry out trials in the project's folder until ``wanted`` have been tried by all workers together.

    Args:
        plan: of the study, which has begun.
        wanted: trials in all.
        parent_run: the id of the search's run in MLflow; empty when there is none.

    Raises:
        KeyboardInterrupt: after SIGTERM or SIGINT; the trial in hand will be taken up again.
        SettingsError: the space holds something that cannot be trained.
        DataError: nothing works.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    study = studies.begin(Path(), plan)
    parent = os.getppid()
    while os.getppid() == parent and (claimed := studies.claim(Path(), study, plan, wanted)) is not None:
        say(f"trial {claimed.place}: {claimed.values}")
        _attempt(plan, study, claimed, parent_run)
        _stop_when_hopeless(study)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _attempt(plan: Plan, study: optuna.Study, claimed: Claimed, parent_run: str) -> None:
    """Train and tell how it ended; the checkpoints of what will be taken up again stay."""
    trial = claimed.trial
    try:
        score = trials.train(plan, claimed, parent_run)
        study.tell(trial, score)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except (DataError, ModelError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _out_of_memory(error):
            raise
        studies.fail(trial, study, _reason(error))
    except KeyboardInterrupt:
        studies.release(trial, study, "interrupted")
        raise
    except WenhuoError as error:
        studies.fail(trial, study, _reason(error), counts=False)
        trials.forget(plan, claimed.place)
        raise type(error)(f"trial {claimed.place} ({_spoken(claimed)}): {error.what}", error.hint) from None
    trials.forget(plan, claimed.place)
    gc.collect()  # a network in a cycle would keep its memory through the next trial


def _out_of_memory(error: RuntimeError) -> bool:
    return type(error).__name__ == "OutOfMemoryError"  # torch's; a linear trial imports no torch


def _reason(error: BaseException) -> str:
    return error.what if isinstance(error, WenhuoError) else f"out of memory: {error}".splitlines()[0][:500]


def _spoken(claimed: Claimed) -> str:
    return ", ".join(f"{name} {value}" for name, value in claimed.values.items())


def _stop_when_hopeless(study: optuna.Study) -> None:
    found = list(studies.ended(study).values())
    if len(found) >= HOPELESS and all(trial.state is TrialState.FAIL for trial in found):
        raise DataError(
            f"all of the first {len(found)} trials failed, the last one so: {found[-1].user_attrs['reason']}",
            "mend it, or the space in search.yaml",
        )
