"""Cards made again: from the files of the state that a version was registered in, each hashed before it is believed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wenhuo.cards.files import Files, Here
from wenhuo.cards.making import MadeCard, make_card, write_card
from wenhuo.cards.material import Subject
from wenhuo.errors import DataError
from wenhuo.files import sha256
from wenhuo.keeping import kept_versions
from wenhuo.lineage import LOCK, PREFIX
from wenhuo.tracing.materials import bring
from wenhuo.tracing.objects import Contents
from wenhuo.tracing.project import Project, Version, open_project
from wenhuo.tracing.states import State

if TYPE_CHECKING:
    from wenhuo.tracking.registry import Version as Registered


@dataclass(frozen=True)
class OfState:
    """The files of a state; folders are brought to a place of their own. See :class:`wenhuo.cards.files.Files`."""

    contents: Contents
    state: State
    place: Path

    def file(self, out: str, below: str = "") -> Path | None:
        """A file that the state's stages wrote, with the very content that they gave it."""
        return self.contents.file(self.state.out(out), below)

    def folder(self, out: str) -> Path | None:
        """A folder that they wrote, whole or not at all."""
        target, item = self.place / out, self.state.out(out)
        if item is None:
            return None
        try:
            return target if target.is_dir() else bring(self.contents, item, "", target)
        except DataError:
            return None


def card_of(root: Path, version: Registered, project: Project | None = None) -> MadeCard:
    """Make the card of a registered version, and write its files.

    Args:
        root: the project's folder.
        version: as MLflow has it.
        project: where it was opened already.

    Raises:
        DataError: what it is made of is gone.
        ModelError: the model's folder is damaged or refused.
        GraphError: there is no DVC repository, or a dvc.lock cannot be read.
    """
    subject = subject_of(root, version)
    with _files(root, subject, project) as files:
        made = make_card(root, subject, files)
    write_card(root, made)
    return made


def restore_card(client: Any, project: Project, name: str, number: int) -> bool:
    """Give a version its card where it has none; return whether it had none. What it has already stays.

    Raises:
        DataError: what the card is made of is gone.
        ModelError: the version is not in the store, or its model's folder is damaged or refused.
        TrackingError: MLflow does not answer.
    """
    from wenhuo.tracking import cards, registry

    version = registry.version_numbered(client, name, number)
    return not cards.has_card(version) and cards.publish(client, version, card_of(project.root, version, project))


def subject_of(root: Path, version: Registered) -> Subject:
    """The version as a card speaks of it: as it was kept, or, of an earlier release, as its tags say."""
    for kept in kept_versions(root):
        if (kept["name"], kept["number"]) == (version.name, version.number):
            told = kept["candidate"], kept["key"], kept["tags"], kept["examples"]
            return Subject(version.name, version.number, *told)
    candidate = version.tags.get(f"{PREFIX}candidate")
    if candidate is None:
        raise DataError(f"nothing is known of version {version.number} of {version.name}", "git pull may bring it")
    return Subject(version.name, version.number, candidate, version.key, version.tags)


@contextmanager
def _files(root: Path, subject: Subject, project: Project | None) -> Iterator[Files]:
    """The files of the state that the version was registered in: those that lie here while it is being registered."""
    lock = root / "dvc.lock"
    if subject.tags.get(LOCK) == (sha256(lock) if lock.exists() else None):
        yield Here(root)
        return
    opened = project or open_project(root)
    version = Version(subject.model, subject.number, subject.key, dict(subject.tags))
    state = opened.state_of(version)
    if state is None:
        raise DataError(f"no dvc.lock at hand knows the stage that trained it, key {subject.key[:12]}")
    with tempfile.TemporaryDirectory() as place:
        yield OfState(opened.contents, state, Path(place))
