"""Decisions carried out: the alias ``champion`` moved, the decision written down, the versions tagged.

The alias moves only from the version that a challenger was compared with: whoever comes second, since another has moved
it meanwhile, is told so and changes nothing. Decision and move happen under one lock of the project's, so that this
holds for all processes of a project. MLflow knows no compare-and-set: on a server that several machines share, two that
move the alias within the same milliseconds both move it; the alias is read again afterwards, so that the one whose move
did not last is told.

The order is alias, decision, tags. A process that is killed in between leaves an alias without a decision, or a
decision without tags; the next one writes down what it finds, and tags again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mlflow.tracking import MlflowClient

from wenhuo.gate import decisions
from wenhuo.gate.checks import Check
from wenhuo.gate.decisions import GATE, Decision, Word
from wenhuo.lineage import PREFIX
from wenhuo.tracking import registry
from wenhuo.tracking.registry import Version

MOVES = ("promoted", "rolled back")


@dataclass(frozen=True)
class Ruling:
    """A decision that is to be carried out.

    Attributes:
        verdict: promoted and rolled back move the alias.
        reason: one line.
        version: what it is about; None where nothing was registered.
        expected: the champion that it was decided against; the alias moves from there or not at all.
        candidate: its name in ``params.yaml``.
        key: of the stage that trained it.
        test_set: the hash of the test set that it was measured on.
        checks: the gate's questions.
        by: who decided.
        why: what that person said.
    """

    verdict: Word
    reason: str
    version: Version | None
    expected: int | None
    candidate: str | None = None
    key: str | None = None
    test_set: str | None = None
    checks: Sequence[Check] = ()
    by: str = GATE
    why: str | None = None

    def about(self, version: Version | None) -> Ruling:
        """The same, about a version that was registered since."""
        return replace(self, version=version)


def settle(client: MlflowClient, reports: Path, model: str, ruling: Ruling) -> Decision:
    """Carry a decision out and write it down; what is returned says what became of it.

    A promotion that comes second becomes the verdict challenger, a return that comes second changes nothing either.

    Args:
        client: of the store.
        reports: the folder with the decisions.
        model: the registered model's name.
        ruling: the decision.

    Raises:
        TrackingError: MLflow does not answer.
    """
    with decisions.locked(reports):
        before = after = reconcile(client, reports, model)
        if ruling.verdict in MOVES and ruling.version is not None:
            if before == ruling.expected:
                registry.make_champion(client, ruling.version)
                after = _number(registry.champion(client, model))
            if after != ruling.version.number:
                ruling = _second(ruling, after)
        made = decisions.append(reports, _line(model, ruling, before, after))
        tag_versions(client, reports, model)
    return made


def reconcile(client: MlflowClient, reports: Path, model: str) -> int | None:
    """The champion as the registry has it; where the decisions say otherwise, that is written down.

    So it is after a promotion that was killed before it was written down, and where somebody moved the alias in MLflow.
    """
    with decisions.locked(reports):
        now = _number(registry.champion(client, model))
        known = decisions.read(reports).champion(model)
        if now != known:
            found = "the registry has no champion" if now is None else f"the registry has version {now} as champion"
            why = "a run was killed, the alias was moved in MLflow, or the decision was made elsewhere"
            ruling = Ruling("found", f"{found}, which no decision here says: {why}", None, None, by="unknown")
            decisions.append(reports, _line(model, ruling, known, now) | {"version": now})
    return now


def tag_versions(client: MlflowClient, reports: Path, model: str) -> None:
    """Give every version the tags of the last decision about it: verdict, reason, the decision's hash, the test set."""
    about: dict[int | None, dict[str, str]] = {}
    for decision in decisions.read(reports).of(model):
        about[decision.version] = about.get(decision.version, {}) | _tags(decision)
        if decision.verdict == "rolled back":
            left = {f"{PREFIX}verdict": "taken back", f"{PREFIX}reason": decision.reason}
            about[decision.before] = about.get(decision.before, {}) | left | {f"{PREFIX}decision": decision.hash}
    for version in registry.versions(client, model):
        registry.set_tags(client, version, about.get(version.number, {}))


def _tags(decision: Decision) -> dict[str, str]:
    named = {"verdict": decision.verdict, "reason": decision.reason, "decision": decision.hash}
    named |= {"test_set_sha256": decision.test_set} if decision.test_set else {}
    return {f"{PREFIX}{name}": value for name, value in named.items()}


def _second(ruling: Ruling, champion: int | None) -> Ruling:
    meanwhile = "it lost the alias" if champion is None else f"version {champion} became champion"
    then = "compare it with" if ruling.by == GATE else "replace"
    said = f"{meanwhile} while it was decided about; run again to {then} that one"
    return replace(ruling, verdict="challenger", reason=said)


def _line(model: str, ruling: Ruling, before: int | None, after: int | None) -> dict[str, object]:
    values = {name: value for name, value in asdict(ruling).items() if name not in {"expected", "version", "checks"}}
    version = None if ruling.version is None else ruling.version.number
    checks = [{k: value for k, value in asdict(check).items() if value is not None} for check in ruling.checks]
    return {"model": model, **values, "version": version, "before": before, "champion": after, "checks": checks}


def _number(version: Version | None) -> int | None:
    return None if version is None else version.number
