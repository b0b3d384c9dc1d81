"""``wenhuo search show``: the best trials of a search as a table."""

from __future__ import annotations

from pathlib import Path

import optuna
from rich.console import Console

from wenhuo.console import say
from wenhuo.search import studies
from wenhuo.search.project import Plan, make_plan
from wenhuo.search.results import counts, importance, ranked, table


def show(root: Path, name: str | None) -> None:
    """Print what a search has found so far. Errors: as :func:`make_plan`; DataError when nothing was tried."""
    plan = make_plan(root, name)
    study = studies.find(root, plan)
    say(f"search {plan.name}: {counts(study)} of {plan.search.trials} trials")
    show_results(study, plan)


def show_results(study: optuna.Study, plan: Plan) -> None:
    """Print the best trials and what to do with them."""
    if not ranked(study):
        return
    Console(highlight=False).print(table(study, plan.search.objective))
    matter = importance(study)
    if matter:
        say("importance: " + ", ".join(f"{name} {share:.2f}" for name, share in matter.items()))
    say(f"next: wenhuo search add {plan.name}")
