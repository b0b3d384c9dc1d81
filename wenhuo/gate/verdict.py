"""The verdict: promoted, challenger (registered, not promoted) or refused (not registered), and why.

refused     nothing was to be compared or worth it: unsound data, another test set, worse than the linear baseline
challenger  sound, but not better than the champion, or short of a floor or limit; a person may promote it
promoted    every check passed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wenhuo.gate import checks
from wenhuo.gate.checks import Check, Classes, Probabilities, Rows
from wenhuo.gate.options import Gate

Word = Literal["promoted", "challenger", "refused"]


@dataclass(frozen=True)
class Verdict:
    """What the gate decided, why in one line, and every check behind it."""

    verdict: Word
    reason: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Champion:
    """The champion's name, and the classes it predicts, shape (n,), or why it cannot be compared."""

    name: str
    predicted: Classes | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Evidence:
    """What the gate looks at.

    Attributes:
        rows: the frozen test rows.
        probabilities: the winner's, shape (n, k).
        megabytes: of the winner's folder.
        milliseconds: that the winner takes for one text.
        champion: None where there is none yet.
        linear: name of the best linear candidate and the classes it predicts; None where the winner is linear itself.
    """

    rows: Rows
    probabilities: Probabilities
    megabytes: float
    milliseconds: float
    champion: Champion | None
    linear: tuple[str, Classes] | None


def refuse(name: str, reason: str) -> Verdict:
    """Refused for one reason, before anything was measured."""
    return Verdict("refused", reason, (Check(name, False, reason),))


def data_are_sound(errors: int) -> Check:
    """Did validation find no errors in the data that all was made of?"""
    said = f"validation found {errors:,} errors in the data; reports/validation.html says which"
    return Check("data", errors == 0, said if errors else "validation found no errors")


def decide(evidence: Evidence, gate: Gate) -> Verdict:
    """The verdict on a winner that was measured on the frozen test set."""
    rows, ours = evidence.rows, evidence.probabilities.argmax(axis=1)
    asked = []
    if evidence.linear is not None:
        name, linear = evidence.linear
        asked.append(checks.against_linear(rows, ours, linear, name, gate.comparison))
        if not asked[0].passed:
            return Verdict("refused", asked[0].reason, tuple(asked))
    asked = [*_champion(evidence, gate, ours), *asked]
    asked += checks.floors(rows, ours, gate.floors)
    asked.append(checks.calibration(rows, evidence.probabilities, gate.limits))
    asked.append(checks.size(evidence.megabytes, gate.limits))
    asked.append(checks.latency(evidence.milliseconds, gate.limits))
    failed = {check.name: check.reason for check in asked if not check.passed}
    if "macro-F1" in failed:
        failed.pop("McNemar", None)  # said twice
    if failed:
        first, *others = failed
        besides = f"; it fails besides: {', '.join(others)}" if others else ""
        return Verdict("challenger", failed[first] + besides, tuple(asked))
    return Verdict("promoted", asked[0].reason if evidence.champion else "it is the first champion", tuple(asked))


def _champion(evidence: Evidence, gate: Gate, ours: Classes) -> list[Check]:
    champion = evidence.champion
    if champion is None:
        return []
    if champion.predicted is None:
        said = f"{champion.name} stays champion, though it cannot be compared: {champion.trouble}"
        return [Check("champion", False, said)]
    found = checks.against_champion(evidence.rows, ours, champion.predicted, champion.name, gate.comparison)
    alpha = gate.comparison.alpha
    return [*found, checks.slices_held(evidence.rows, ours, champion.predicted, gate.slices, alpha)]
