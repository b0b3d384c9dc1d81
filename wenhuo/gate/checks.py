"""The gate's questions, each a function of arrays that answers with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wenhuo.gate.options import Comparison, Floors, Limits, Slices
from wenhuo.metrics.calibration import calibration_error, reliability
from wenhuo.metrics.paired import McNemar, differences, mcnemar, resampled_differences

Classes = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Mask = NDArray[np.bool_]

DIGITS = 6  # the last bits of a sum depend on the machine
NAMED = 5  # of many classes or slices that fail, so many are named


@dataclass(frozen=True)
class Check:
    """A question of the gate, whether it was passed, and why, as a clause without a full stop.

    ``figures`` are those of a comparison, see :meth:`Compared.told`.
    """

    name: str
    passed: bool
    reason: str
    figures: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Rows:
    """The frozen test rows: their true classes, shape (n,); the labels; name to mask of each slice, shape (n,)."""

    truth: Classes
    labels: list[str]
    slices: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """Two models on the same rows: macro-F1 of both, the interval of the first one's lead, and McNemar's test."""

    first: float
    second: float
    low: float
    high: float
    test: McNemar

    @property
    def figures(self) -> str:
        """Both figures, for people."""
        return f"macro-F1 {self.first:.4f} to {self.second:.4f}"

    def told(self) -> dict[str, float]:
        """All of it for machines; ``only_first`` are rows that only the first has right."""
        spread = {"first": self.first, "second": self.second, "low": self.low, "high": self.high}
        rounded = {name: round(value, DIGITS) for name, value in spread.items()}
        test = {"only_first": self.test.only_first, "only_second": self.test.only_second}
        return rounded | test | {"p_value": float(f"{self.test.p_value:.6g}")}


def compare(rows: Rows, ours: Classes, theirs: Classes, options: Comparison) -> Compared:
    """Two models by the paired bootstrap of macro-F1, whose interval is at ``1 - alpha``, and by McNemar's test.

    Args:
        rows: the test rows.
        ours: the classes that the first model predicts, shape (n,).
        theirs: those of the second.
        options: how many resamples, and the chance allowed.
    """
    said = rows.truth, ours, theirs
    found = differences(*said, len(rows.labels), resamples=0, seed=0)["macro_f1"]
    drawn = resampled_differences(*said, len(rows.labels), resamples=options.resamples, seed=options.seed)["macro_f1"]
    low, high = np.quantile(drawn, [options.alpha / 2, 1 - options.alpha / 2])
    return Compared(found.first, found.second, float(low), float(high), mcnemar(*said))


def against_champion(rows: Rows, ours: Classes, theirs: Classes, name: str, options: Comparison) -> list[Check]:
    """Is the challenger better than the champion by more than chance and the margin? A tie is not.

    Args:
        rows: the test rows.
        ours: the classes that the challenger predicts, shape (n,).
        theirs: those of the champion.
        name: what the champion is called.
        options: the margin, and the chance allowed.
    """
    found = compare(rows, ours, theirs, options)
    spread = f"{1 - options.alpha:.0%} interval of the difference {found.low:+.4f} to {found.high:+.4f}"
    if found.low > options.margin:
        said = f"it beats {name}, {found.figures} ({spread})"
    elif found.high < 0:
        said = f"it is worse than {name}, {found.figures} ({spread})"
    elif found.low > 0:
        said = f"it may lead {name} by less than the margin of {options.margin:g}, {found.figures} ({spread})"
    else:
        said = f"a tie keeps the champion, {name}: {found.figures} ({spread})"
    checks = [Check("macro-F1", found.low > options.margin, said, found.told())]
    return [*checks, _mcnemar(found.test, name, options.alpha)] if options.mcnemar else checks


def _mcnemar(test: McNemar, name: str, alpha: float) -> Check:
    passed = _surely(test.only_first, test.only_second, test, alpha)
    counted = f"{test.only_first:,} rows that only it has right, {test.only_second:,} that only {name} has"
    said = "McNemar's test agrees" if passed else "McNemar's test does not say that it is right more often"
    return Check("McNemar", passed, f"{said} ({counted}, p = {test.p_value:.2g})")


def _surely(more: int, less: int, test: McNemar, alpha: float) -> bool:
    return more > less and test.p_value <= alpha


def against_linear(rows: Rows, ours: Classes, linear: Classes, name: str, options: Comparison) -> Check:
    """Is a model that costs more than a linear one not surely worse than it (or surely better, where that is asked)?"""
    found = compare(rows, ours, linear, options)
    gains, losses = found.test.only_first, found.test.only_second
    better = found.low > 0 and (not options.mcnemar or _surely(gains, losses, found.test, options.alpha))
    worse = found.high < 0 and (not options.mcnemar or _surely(losses, gains, found.test, options.alpha))
    passed = {"better": better, "not_worse": not worse, "any": True}[options.linear]
    said = "better than" if better else "worse than" if worse else "equal, within chance, to"
    return Check("linear", passed, f"it is {said} the linear baseline {name}, {found.figures}", found.told())


def floors(rows: Rows, ours: Classes, options: Floors) -> list[Check]:
    """Does it reach the lowest macro-F1, and each class its floor?"""
    scores, counts = class_f1(rows, ours)
    macro = float(scores[counts > 0].mean()) if counts.any() else 0.0
    checks = [Check("macro-F1 floor", macro >= options.macro_f1, f"macro-F1 {macro:.4f}, floor {options.macro_f1:g}")]
    failed, held = [], 0
    for place, label in enumerate(rows.labels):
        if not counts[place] or (counts[place] < options.rows and label not in options.labels):
            continue
        held, floor = held + 1, options.labels.get(label, options.class_f1)
        if scores[place] < floor:
            failed.append(f"{label} has F1 {scores[place]:.4f}, below its floor of {floor:g}")
    unknown = sorted(set(options.labels) - set(rows.labels))
    failed += [f"register.floors.labels names {label}, which the data do not have" for label in unknown]
    said = _several(failed) if failed else f"{held} of {len(rows.labels)} classes held to their floors"
    return [*checks, Check("classes", not failed, said)]


def class_f1(rows: Rows, ours: Classes) -> tuple[NDArray[np.float64], Classes]:
    """F1 of every class, and its test rows, shape (k,) each."""
    k = len(rows.labels)
    actual, said = np.bincount(rows.truth, minlength=k), np.bincount(ours, minlength=k)
    hits = np.bincount(rows.truth[ours == rows.truth], minlength=k)
    both = actual + said
    return np.divide(2 * hits, both, out=np.zeros(k), where=both > 0), actual


def slices_held(rows: Rows, ours: Classes, theirs: Classes, options: Slices, alpha: float) -> Check:
    """Does no slice lose accuracy against the champion, by more than is allowed and by more than chance?

    Chance is what McNemar's test allows, at ``alpha`` divided by the number of slices (Bonferroni): one of many slices
    loses by chance alone.
    """
    held = {name: mask for name, mask in rows.slices.items() if mask.sum() >= options.rows}
    failed = []
    for name, mask in held.items():
        now, before = ((said[mask] == rows.truth[mask]).mean() for said in (ours, theirs))
        test = mcnemar(rows.truth[mask], ours[mask], theirs[mask])
        if before - now > options.fall and test.p_value <= alpha / len(held):
            failed.append(f"{name}: accuracy falls from {before:.4f} to {now:.4f} ({int(mask.sum()):,} rows)")
    return Check("slices", not failed, _several(failed) if failed else f"none of {len(held)} slices falls")


def calibration(rows: Rows, probabilities: Probabilities, limits: Limits) -> Check:
    """Do the probabilities mean what they say?"""
    error = calibration_error(reliability(rows.truth, probabilities))
    return _limit("calibration", "the calibration error", error, limits.calibration_error, "{:.4f}")


def size(megabytes: float, limits: Limits) -> Check:
    """Is the model's folder small enough?"""
    return _limit("size", "the size in MB", megabytes, limits.megabytes, "{:.1f}")


def latency(milliseconds: float, limits: Limits) -> Check:
    """Is one text answered fast enough here?"""
    return _limit("latency", "the milliseconds for one text", milliseconds, limits.milliseconds, "{:.1f}")


def _limit(name: str, what: str, value: float, most: float | None, shape: str) -> Check:
    shown = shape.format(value)
    if most is None or value <= most:
        return Check(name, True, f"{what}: {shown}" + ("" if most is None else f", limit {most:g}"))
    return Check(name, False, f"{what}, {shown}, exceeds the limit of {most:g}")


def _several(reasons: list[str]) -> str:
    more = f" and {len(reasons) - NAMED} more" if len(reasons) > NAMED else ""
    return ", ".join(reasons[:NAMED]) + more
