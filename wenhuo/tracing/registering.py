"""Versions and aliases registered again, with their numbers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wenhuo.errors import DataError, ModelError, WenhuoError
from wenhuo.keeping import kept_versions
from wenhuo.tracing.materials import bring
from wenhuo.tracing.project import Project, Version
from wenhuo.tracing.restored import Restored
from wenhuo.tracing.states import Made, State

if TYPE_CHECKING:
    from wenhuo.gate.frozen import Frozen


def restore_versions(project: Project, done: Restored) -> None:
    """Register the versions that were kept and that the store lacks, in their order, then set the aliases.

    Raises:
        TrackingError: MLflow does not answer.
    """
    from wenhuo.gate import decisions
    from wenhuo.tracking import store

    kept, client = kept_versions(project.root), store.connect(project.root)
    reports = project.root / "reports"
    with decisions.locked(reports):
        for one in kept:
            title = f"version {one['number']} of {one['name']}"
            try:
                fresh = _version(project, client, reports, one)
                (done.added if fresh else done.there).append(title)
                _card(project, client, one, done, fresh=fresh)
            except (DataError, ModelError) as error:
                done.lost.append(f"{title}: {error.what}")
        for name in dict.fromkeys(one["name"] for one in kept):
            _aliases(client, reports, name, done)


def _version(project: Project, client: Any, reports: Path, kept: dict[str, Any]) -> bool:
    """Register a version; return whether it was missing."""
    from wenhuo.tracking import registration, registry, runs, views

    name, number = kept["name"], kept["number"]
    known = {version.number: version for version in registry.versions(client, name)}
    if number in known:
        if known[number].key != kept["key"]:
            raise DataError(f"the store has another model under this number, key {known[number].key[:12]}")
        return False
    if any(version.key == kept["key"] for version in known.values()) or any(n > number for n in known):
        raise DataError("the store has counted on without it: restore into an empty store to keep the numbers")
    version = Version(name, number, kept["key"], kept["tags"])
    if runs.find_run(client, version.key) is None:
        raise DataError("the run that it was made of cannot be brought back")
    state, made = _training(project, version)
    with tempfile.TemporaryDirectory() as place:
        folder = _model(project, made, Path(place) / kept["candidate"])
        texts, frozen = _tests(project, state, reports, version)
        views.skip_to(client, name, number)
        entry = registration.Entry(
            name, kept["candidate"], folder, kept["key"], kept["tags"], texts[: kept["examples"]]
        )
        registration.enter(client, reports, entry, frozen, kept.get("passport"))
    return True


def _card(project: Project, client: Any, kept: dict[str, Any], done: Restored, *, fresh: bool) -> None:
    """Give a version its card; one that was just registered has it as part of that."""
    from wenhuo.tracing.cards import restore_card

    title = f"card of version {kept['number']} of {kept['name']}"
    try:
        if restore_card(client, project, kept["name"], kept["number"]) and not fresh:
            done.added.append(title)
    except (DataError, ModelError) as error:
        done.lost.append(f"{title}: {error.what}")


def _training(project: Project, version: Version) -> tuple[State, Made]:
    state = project.state_of(version)
    made = next((one for one in state.stages.values() if one.key == version.key), None) if state else None
    if state is None or made is None:
        raise DataError(f"no dvc.lock at hand knows the stage that trained it, key {version.key[:12]}")
    return state, made


def _model(project: Project, made: Made, folder: Path) -> Path:
    out = next((out for out in made.outs if out.path.startswith("models/")), None)
    if out is None:
        raise DataError(f"dvc.lock names no model of {made.stage}")
    return bring(project.contents, out, "", folder)


def _tests(project: Project, state: State, reports: Path, version: Version) -> tuple[list[str], Frozen]:
    """The texts of the state's test set, and the test set that the version was measured on: this, or an older one."""
    from wenhuo.gate import decisions
    from wenhuo.gate.frozen import freeze

    decided = [one.test_set for one in decisions.read(reports).of(version.name) if one.version == version.number]
    wanted = next((test_set for test_set in decided if test_set), None)
    rows = _rows(project, state)
    for other in (state, *project.states):
        found = freeze(_digests(rows if other is state else _rows(project, other)))
        if wanted in (None, found.hash):
            return [text for _, _, text in rows], found
    raise DataError(f"no test set at hand is the one that it was measured on ({str(wanted)[:12]})")


def _rows(project: Project, state: State) -> list[tuple[str, str, str]]:
    import polars as pl

    path = project.contents.file(state.out("data/split"), "test.parquet")
    if path is None:
        raise DataError(f"the test rows of {state.where} are gone from DVC's cache", "`dvc pull` may bring them")
    return pl.read_parquet(path, columns=["id", "label", "text"]).select("id", "label", "text").rows()


def _digests(rows: list[tuple[str, str, str]]) -> Any:
    from wenhuo.gate.frozen import digests

    return digests(rows)


def _aliases(client: Any, reports: Path, name: str, done: Restored) -> None:
    """Let the champion of the decisions be champion, and tag the versions with what was decided about them."""
    from wenhuo.gate import decisions
    from wenhuo.tracking import promotion, registry

    champion = _champion(decisions.read(reports).of(name))
    there = registry.champion(client, name)
    if champion is not None and there is None:
        try:
            registry.make_champion(client, registry.version_numbered(client, name, champion))
            done.added.append(f"version {champion} of {name} as champion")
        except WenhuoError as error:
            done.lost.append(f"the champion of {name}: {error.what}")
    promotion.tag_versions(client, reports, name)


def _champion(said: list[Any]) -> int | None:
    """The champion that the last decision left; what was merely found in a store that lost it does not count."""
    for decision in reversed(said):
        if decision.champion is not None or decision.verdict != "found":
            return None if decision.champion is None else int(decision.champion)
    return None
