"""What a trace looks into: the states of a project, the contents, the registered versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from wenhuo.errors import GraphError, TrackingError
from wenhuo.keeping import kept_versions
from wenhuo.lineage import LOCK
from wenhuo.tracing.objects import Contents, open_contents
from wenhuo.tracing.states import Made, State, states

COMMIT = "mlflow.source.git.commit"


@dataclass(frozen=True)
class Version:
    """A registered version, as MLflow shows it or as it was kept; ``run`` and ``source`` are MLflow's."""

    name: str
    number: int
    key: str
    tags: dict[str, str]
    aliases: tuple[str, ...] = ()
    run: str = ""
    source: str = ""

    @property
    def title(self) -> str:
        """Such as ``wenhuo-sample/3``."""
        return f"{self.name}/{self.number}"


@dataclass(frozen=True)
class Project:
    """A project that is looked into.

    Attributes:
        root: its folder.
        contents: by hash.
        states: the present one first.
        trouble: what could not be asked, a sentence each.
    """

    root: Path
    contents: Contents
    states: Sequence[State]
    trouble: list[str] = field(default_factory=list)

    @cached_property
    def versions(self) -> list[Version]:
        """Every registered version, MLflow's and the kept ones, by name and number."""
        kept = {(one["name"], one["number"]): _of_kept(self.root, one) for one in kept_versions(self.root)}
        return [one for _, one in sorted((kept | self._shown()).items())]

    def _shown(self) -> dict[tuple[str, int], Version]:
        """The versions that MLflow has; without a store or a server none, and what was kept has to do."""
        from wenhuo.tracking.views import every_version

        try:
            found = [Version(**one | {"aliases": tuple(one["aliases"])}) for one in every_version(self.root)]
        except TrackingError as error:
            self.trouble.append(error.what)
            return {}
        return {(one.name, one.number): one for one in found}

    @property
    def present(self) -> State:
        """The present state.

        Raises:
            GraphError: there is no dvc.lock.
        """
        found = next((state for state in self.states if state.present), None)
        if found is None:
            raise GraphError("there is no dvc.lock here", "run `make run` first, or get it: git pull")
        return found

    def state_of(self, version: Version) -> State | None:
        """The state that a version was registered in, else one that holds the stage that trained it."""
        exact = next((state for state in self.states if state.hash == version.tags.get(LOCK)), None)
        return exact or next((state for state, _ in self.made_by(version.key)), None)

    def made_by(self, key: str) -> list[tuple[State, Made]]:
        """Where a stage with this key stands, the present state first."""
        return [(s, made) for s in self.states for made in s.stages.values() if made.key == key]

    def versions_of(self, key: str) -> list[Version]:
        """The versions that a training became."""
        return [version for version in self.versions if version.key == key]

    def trainings(self) -> dict[str, list[tuple[State, Made]]]:
        """Every training that any state knows: key to where it stands."""
        found: dict[str, list[tuple[State, Made]]] = {}
        for state in self.states:
            for made in state.trained():
                found.setdefault(made.key, []).append((state, made))
        return found


def open_project(root: Path) -> Project:
    """Open a project.

    Raises:
        GraphError: it is in no DVC repository, or a dvc.lock cannot be read.
    """
    known = list(states(root))
    present = next((state for state in known if state.present), None)
    return Project(root, open_contents(root, present), known)


def _of_kept(root: Path, kept: dict[str, Any]) -> Version:
    aliases = ("champion",) if _champion(root, kept["name"]) == kept["number"] else ()
    return Version(kept["name"], kept["number"], kept["key"], kept["tags"], aliases)


def _champion(root: Path, name: str) -> int | None:
    from wenhuo.gate.decisions import read

    return read(root / "reports").champion(name)
