"""MLflow's store made again: runs, curves, figures, pictures, data, models, versions and aliases.

MLflow is a view. What it shows stands in dvc.lock, in DVC's cache and in git (``reports/lineage``,
``reports/decisions.jsonl``); here it is written again by the functions that the stages write it with, so that it is the
same but for times of recording and MLflow's own ids. What is there already stays, and nothing is added to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wenhuo.console import say
from wenhuo.errors import DataError
from wenhuo.files import read_json
from wenhuo.keeping import kept_run, kept_versions
from wenhuo.lineage import CANDIDATES, PREFIX, Identity, data_tags
from wenhuo.tracing.materials import bring, evaluated
from wenhuo.tracing.objects import Contents
from wenhuo.tracing.project import Project, open_project
from wenhuo.tracing.restored import Restored
from wenhuo.tracing.states import Made, State


def restore(root: Path, *, quiet: bool = False) -> Restored:
    """Write into MLflow's store what it lacks.

    Args:
        root: the project's folder.
        quiet: say only what was added or lost, not that nothing was.

    Raises:
        GraphError: dvc.lock cannot be read, or this is in no DVC repository.
        TrackingError: MLflow does not answer.
    """
    from wenhuo.tracing.registering import restore_versions

    project, done = open_project(root), Restored()
    for state, made in _trainings(project):
        _attempt(done, project.contents, state, made)
    restore_versions(project, done)
    if done.added or done.lost or not quiet:
        done.tell()
    return done


def _attempt(done: Restored, contents: Contents, state: State, made: Made) -> None:
    name = f"run of {made.stage}, key {made.key[:12]}"
    try:
        (done.added if _run(contents, state, made) else done.there).append(name)
    except DataError as error:
        done.lost.append(f"{name}: {error.what}")


def _trainings(project: Project) -> Iterator[tuple[State, Made]]:
    """Every training and pretraining that a state knows, the oldest states first; each in the state that says most."""
    best: dict[str, State] = {}
    for state in sorted(project.states, key=lambda state: evaluated(project.contents, state) is None):
        for made in state.stages.values():
            best.setdefault(made.key, state)
    for state in reversed(project.states):
        for made in state.stages.values():
            if made.name in (*CANDIDATES, "pretrain") and best[made.key] is state:
                yield state, made


def _run(contents: Contents, state: State, made: Made) -> bool:
    """Complete the run of a training; return whether anything was missing."""
    from wenhuo.tracking.candidates import Candidate, Evaluation, log_course, log_evaluation
    from wenhuo.training.history import read

    told = kept_run(contents.root, made.key) or derived(contents, state, made)
    identity = Identity(made.stage, made.key, in_graph=True, made=True)
    candidate = Candidate(identity, told["name"], told["parameters"], told["dataset"], root=contents.root, known=told)
    with tempfile.TemporaryDirectory() as place:
        course = next((out for out in made.outs if out.path.endswith(".csv")), None)
        if course is None:
            raise DataError(f"dvc.lock names no curves of {made.stage}")
        points = read(bring(contents, course, "", Path(place, "course.csv")))
        shown = _evaluation(contents, state, made, Path(place)) if made.name in CANDIDATES else None
        return (
            log_course(candidate, points) if shown is None else log_evaluation(candidate, Evaluation(points, **shown))
        )


def _evaluation(contents: Contents, state: State, made: Made, place: Path) -> dict[str, Any] | None:
    """Figures, pictures, tables and pages of a candidate; None when the state's evaluation is not of this training."""
    from wenhuo.metrics.summary import flat_figures

    evaluation, name = evaluated(contents, state), made.instance
    if evaluation is None:
        return None
    outs = {out.path: out for out in evaluation.outs}
    figures = read_json(bring(contents, outs["reports/metrics.json"], "", place / "metrics.json"))["candidates"]
    if name not in figures:
        return None
    shown: dict[str, Any] = {"figures": flat_figures(figures[name])}
    shown["pictures"] = bring(contents, outs["reports/plots"], name, place / "plots")
    shown["tables"] = [bring(contents, outs["reports/errors"], f"{name}.csv", place / f"{name}.csv")]
    page = outs.get("reports/candidates.html")
    return shown | {"pages": [bring(contents, page, "", place / "candidates.html")] if page else []}


def derived(contents: Contents, state: State, made: Made) -> dict[str, Any]:
    """What a run says where nobody kept it: what follows from DVC's files, without the circumstances.

    Raises:
        DataError: a file that says so is gone.
    """
    dataset_file = contents.file(state.out("data/split"), "dataset.json")
    if dataset_file is None:
        raise DataError("data/split/dataset.json is gone or damaged in DVC's cache", "`dvc pull` may bring it")
    dataset = read_json(dataset_file)
    reports = {name: contents.file(state.out(f"reports/{name}.json")) for name in ("validation", "clean")}
    kind = "candidate" if made.name in CANDIDATES else "backbone"
    identity = Identity(made.stage, made.key, in_graph=True, made=True)
    tags = identity.names() | {f"{PREFIX}candidate": made.instance, f"{PREFIX}{kind}": made.instance}
    split = state.stages.get("split")
    parts = state.out("data/split")
    return {
        "stage": made.stage,
        "key": made.key,
        "name": made.instance,
        "parameters": _parameters(contents, made),
        "dataset": dataset,
        "split": {f"{PREFIX}stage_key": split.key, f"{PREFIX}dvc_md5": parts.md5} if split and parts else {},
        "tags": tags | data_tags(dataset, contents.root, reports),
    }


def _parameters(contents: Contents, made: Made) -> dict[str, Any]:
    """As the stage that made a candidate gives them; as dvc.lock has them where the code has moved on."""
    from pydantic import TypeAdapter, ValidationError

    from wenhuo.blending.making import parameters as of_blend
    from wenhuo.blending.options import Blend
    from wenhuo.training.candidate import parameters
    from wenhuo.training.options import Candidate

    given, model = made.parameters, next((out for out in made.outs if out.path.startswith("models/")), None)
    raw = given.get(f"{made.name}.candidates.{made.instance}")
    card = contents.file(model, "wenhuo.json") if model else None
    if raw is None or card is None:
        return given
    try:
        if made.name == "blend":
            return of_blend(Blend.model_validate(raw), read_json(card)["members"])
        options: Candidate = TypeAdapter(Candidate).validate_python(raw)
    except ValidationError:
        return given
    return parameters(options, given["train.seed"], {"options": read_json(card)["encoder"]})


def fill(root: Path, name: str, key: str) -> None:
    """Restore what a stage needs that is about to register: the run of a training, and the versions before.

    A store that was deleted would else count versions from 1 again, beside those that decisions and people speak of.

    Args:
        root: the project's folder.
        name: the registered model.
        key: of the stage that trained what is to be registered.

    Raises:
        TrackingError: MLflow does not answer.
        GraphError: there is no DVC repository to restore from.
    """
    from wenhuo.tracking import registry, runs, store

    client = store.connect(root)
    kept = [one for one in kept_versions(root) if one["name"] == name]
    if kept and not registry.versions(client, name):
        say(f"restore: MLflow's store has none of the {len(kept)} versions of {name}; they come first")
        restore(root)
    elif runs.find_run(client, key) is None:
        _restore_run(root, key)


def _restore_run(root: Path, key: str) -> None:
    """The run of a training by its key; where it cannot be had, who needs it says so."""
    project = open_project(root)
    for state, made in (found for found in _trainings(project) if found[1].key == key):
        done = Restored()
        _attempt(done, project.contents, state, made)
        done.tell()
