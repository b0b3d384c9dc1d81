"""``wenhuo search run``: tell what workers find, from the first trial to the picture of all."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import optuna
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from wenhuo.console import say
from wenhuo.lineage import Identity
from wenhuo.search import studies
from wenhuo.search.changes import fixed
from wenhuo.search.crew import Crew
from wenhuo.search.project import Plan, check_fresh, encoders, make_plan
from wenhuo.search.results import SPOKEN, counts, importance, ranked, results, write_trials
from wenhuo.search.showing import show_results
from wenhuo.tracking.searches import SearchRun, close_search, open_search
from wenhuo.training.interruption import StopRequest

SECONDS_BETWEEN_LOOKS = 0.5
REPORTS = Path("reports/search")


def run(root: Path, name: str | None, trials: int | None, workers: int) -> bool:
    """Search until there are enough trials or a signal comes; whether there are enough.

    Args:
        root: the project's folder.
        name: of the search; None where only one is declared.
        trials: how many in all; None: as many as the declaration says.
        workers: processes side by side, which share the processor's cores.

    Raises:
        SettingsError: search.yaml or params.yaml is wrong, or asks for what cannot be trained.
        DataError: the data are not up to date, or nothing that is tried works.
    """
    plan = make_plan(root, name)
    check_fresh(root, encoders(plan))
    wanted = trials or plan.search.trials
    study = studies.begin(root, plan)
    studies.reclaim(root, study, plan)
    say(f"search {plan.name}: {counts(study)} of {wanted} trials; {workers} {'worker' if workers == 1 else 'workers'}")
    run_id = open_search(root, _shown(plan))
    ended = False
    try:
        with Crew(root, plan, wanted, run_id, workers) as crew, StopRequest() as stop:
            ended = _follow(crew, study, plan, stop)
    finally:
        studies.reclaim(root, study, plan)
        _conclude(root, study, plan, run_id, ended=ended)
    show_results(study, plan)
    if not ended:
        say(f"stopped; `wenhuo search run {plan.name}` goes on")
    return ended


def _shown(plan: Plan) -> SearchRun:
    declared = plan.search.model_dump(mode="json", exclude={"trials"})
    parameters = {"search": declared, "fixed": fixed(plan.base, plan.search)}
    return SearchRun(Identity(f"search@{plan.name}", plan.key), plan.name, parameters, plan.dataset)


def _follow(crew: Crew, study: optuna.Study, plan: Plan, stop: StopRequest) -> bool:
    """Look at the workers and tell of each trial that ended, until all workers have; whether nobody stopped them."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    told = {result.place for result in results(study)}
    bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with bar:
        task = bar.add_task(f"search {plan.name}", total=crew.wanted, completed=len(told))
        crew.start()
        while crew.at_work() and not stop.asked:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            _tell(study, plan, told, bar, task)
    crew.end()
    _tell(study, plan, told, bar, task)
    return not (stop.asked or crew.stopped)


def _tell(study: optuna.Study, plan: Plan, told: set[int], bar: Progress, task: TaskID) -> None:
    best = ranked(study)
    for result in results(study):
        if result.place in told:
            continue
        told.add(result.place)
        leader = f"  (best {best[0].score:.4f}, trial {best[0].place})" if best else ""
        say(result.line(plan.search.objective) + leader)
    bar.update(task, completed=len(told))


def _conclude(root: Path, study: optuna.Study, plan: Plan, run_id: str, *, ended: bool) -> None:
    """Write the table and the picture, show both in MLflow, and delete what only further trials need."""
    from wenhuo.search.pictures import draw

    found, best = results(study), ranked(study)
    figures: dict[str, float] = {"trials": len(found)}
    files = []
    if best:
        files = [root / REPORTS / f"{plan.name}.csv", root / REPORTS / f"{plan.name}.png"]
        write_trials(study, files[0])
        title = f"search {plan.name}: validation {SPOKEN[plan.search.objective]}"
        draw(files[1], title, found, importance(study), plan.search.objective)
        figures |= {"score": best[0].score or 0.0, "best_trial": best[0].place}
    close_search(root, run_id, figures, files, ended=ended)
    if ended:
        for path in [*(root / plan.folder).glob("encoded-*"), *(root / plan.folder).glob("trial-*")]:
            shutil.rmtree(path, ignore_errors=True)
