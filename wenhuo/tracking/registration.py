"""A candidate that won becomes a version of a registered model, with a passport beside its files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from wenhuo.console import say
from wenhuo.errors import ModelError, TrackingError
from wenhuo.gate import decisions, passport
from wenhuo.gate.frozen import Frozen
from wenhuo.gate.judging import Known
from wenhuo.gate.passport import PASSPORT, Passport
from wenhuo.keeping import keep_version
from wenhuo.lineage import PREFIX
from wenhuo.tracking import registry, runs
from wenhuo.tracking.registry import Version


@dataclass(frozen=True)
class Entry:
    """What becomes a version.

    Attributes:
        model: the registered model's name.
        candidate: the candidate's name in ``params.yaml``.
        folder: its files.
        key: of the stage that trained it.
        tags: of the version.
        examples: texts that are kept with it, to show what it takes and to try it by.
    """

    model: str
    candidate: str
    folder: Path
    key: str
    tags: Mapping[str, str]
    examples: Sequence[str] = ()

    def known(self, client: MlflowClient) -> Version | None:
        """The version that it is already, if it is."""
        return registry.version_of(client, self.model, self.key)


def enter(
    client: MlflowClient, reports: Path, entry: Entry, frozen: Frozen, kept: Mapping[str, Any] | None = None
) -> Version:
    """Register a candidate, once.

    Args:
        client: of the store.
        reports: the folder with the decisions, whose lock keeps two processes from registering the same.
        entry: the candidate.
        frozen: the test set that it was measured on.
        kept: what git kept of its passport, for one that was registered before; None: it gets its first.

    Raises:
        TrackingError: the store has no run of the candidate.
        ModelError: its folder is damaged or refused.
    """
    with decisions.locked(reports):
        known = entry.known(client)
        if known is not None:
            return _kept(reports, entry, known)
        run = runs.find_run(client, entry.key)
        if run is None:
            what = f"this MLflow store has no run of {entry.candidate}"
            raise TrackingError(what, "run `dvc repro --force --single-item evaluate`")
        with tempfile.TemporaryDirectory() as place:
            written = Path(place) / PASSPORT
            own = _again(entry, frozen, kept) if kept else passport.make(entry.folder, frozen, entry.examples)
            passport.write(written, own)
            shown = list(entry.examples) or [passport.PROBES[0]]
            tags = {f"{PREFIX}stage_key": entry.key, **entry.tags}
            made = registry.register(client, entry.model, run.info.run_id, entry.folder, shown, tags, written)
        return _kept(reports, entry, made, own)


def _again(entry: Entry, frozen: Frozen, kept: Mapping[str, Any]) -> Passport:
    """The passport that was kept, of a model that is found as it was; other answers are said, and not made its own."""
    own = passport.completed(kept, entry.examples, frozen)
    passport.check_files(entry.folder, own)
    try:
        passport.check_answers(entry.folder, own)
    except passport.OtherAnswersError as error:
        say(f"warning: {entry.candidate} comes back with its old passport, but {error.what}; it will not be promoted")
    return own


def _kept(reports: Path, entry: Entry, version: Version, own: Passport | None = None) -> Version:
    """The version, whose number, tags and passport are kept in git's part of the project, to register it anew."""
    told = {"key": entry.key, "candidate": entry.candidate, "tags": dict(entry.tags), "examples": len(entry.examples)}
    if own is not None:
        told["passport"] = passport.without_texts(own, len(entry.examples))
    keep_version(reports.parent, version.name, version.number, told)
    return version


def look_up(version: Version, test_hash: str) -> Known:
    """A champion as the gate needs it: its files, found whole, and the test set that it was measured on.

    Args:
        version: the champion.
        test_hash: the hash of the ids of the test rows at hand, by which champions without a passport are compared.
    """
    called = f"version {version.number}"
    test_set = version.tags.get(f"{PREFIX}test_set_sha256")
    try:
        folder = registry.fetch_model(version.uri)
        kept = passport.read(folder.parent / PASSPORT)
        if kept is None:
            same = version.tags.get(f"{PREFIX}data_test_sha256") == test_hash
            return Known(called, folder, test_set=test_set or (None if same else "unknown"))
        frozen = kept.frozen() if test_set in (None, kept.test_set) else None
        known = Known(called, folder, test_set=test_set or kept.test_set, frozen=frozen)
    except ModelError as error:
        return Known(called, None, error.what, test_set)
    try:
        passport.check_files(folder, kept)
    except ModelError as error:
        return Known(called, None, error.what, known.test_set, known.frozen)
    return known


def check_whole(version: Version, root: Path = Path()) -> bool:
    """Is a version as it was registered: no file missing or changed, and the same answers to its probe sentences?

    Returns:
        Whether that could be compared; a version of an earlier release has no passport, and is only loaded.

    Raises:
        ModelError: it is not, or its files are gone.
    """
    from wenhuo.models.classifier import Classifier

    try:
        folder = registry.fetch_model(version.uri, root)
        kept = passport.read(folder.parent / PASSPORT)
        if kept is None:
            Classifier.load(folder)
            return False
        passport.check_files(folder, kept)
        passport.check_answers(folder, kept)
    except ModelError as error:
        raise ModelError(f"version {version.number} of {version.name} is refused: {error.what}", error.hint) from None
    return True
