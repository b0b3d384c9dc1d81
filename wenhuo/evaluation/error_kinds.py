"""Errors by kind: which properties of a row go with more errors than usual.

A row may be of several kinds or of none. A kind is over-represented among the errors when the interval of its error
rate lies above the error rate of all rows; of twenty kinds that have nothing to do with errors, one does so by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wenhuo.evaluation.answers import Part, Probabilities
from wenhuo.evaluation.phrasing import phrasing
from wenhuo.metrics.brief import share_interval
from wenhuo.metrics.tables import confusion_counts

TENTH = 0.1  # of the rows: what counts as short and as long
SURE = 0.9  # a probability from which on an error is a sure one
UNSURE = 0.6
CONFUSIONS = 6  # pairs of labels, the most frequent ones

Mask = NDArray[np.bool_]
Classes = NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """A property of rows: its name, which rows have it, shape (n,), and a sentence about it."""

    name: str
    mask: Mask
    about: str


def kinds_of_texts(part: Part, suspects: Collection[str]) -> list[Kind]:
    """What holds of the rows, whoever classifies them.

    Args:
        part: the rows.
        suspects: ids of those whose label the audit flagged.
    """
    phrases = [phrasing(text) for text in part.texts]
    flagged = set(suspects)
    return [
        Kind(
            "label looks wrong",
            _mask(key in flagged for key in part.ids),
            "flagged by the audit: a linear model of train prefers another label, so a linear candidate errs here too",
        ),
        *_by_length(part),
        Kind("negates", _mask(one.negates for one in phrases), "holds a word such as 不, 没有, 别, 无"),
        Kind("turns", _mask(one.turns for one in phrases), "holds a word such as 但是, 不过, 然而, 虽然"),
        Kind("mixes scripts", _mask(one.mixes for one in phrases), "Latin or other letters beside Chinese characters"),
    ]


def _by_length(part: Part) -> list[Kind]:
    lengths = np.array([len(text) for text in part.texts], dtype=np.int64)
    if not len(lengths):
        return []
    low, high = (int(end) for end in np.quantile(lengths, [TENTH, 1 - TENTH], method="lower"))
    return [
        Kind("short", lengths <= low, f"the shortest tenth: up to {low} characters"),
        Kind("long", lengths > high, f"the longest tenth: more than {high} characters"),
    ]


def kinds_of_answers(probabilities: Probabilities, unseen: Mapping[str, Mask]) -> list[Kind]:
    """What holds of the rows as one candidate reads and answers them.

    Args:
        probabilities: its answers, shape (n, k).
        unseen: see :func:`wenhuo.evaluation.encoded.unseen`.
    """
    confidence = probabilities.max(axis=1)
    known = {
        "cut": ("cut", "longer than the encoder reads"),
        "unknown": ("unknown characters", "holds a character that the encoder does not know"),
    }
    return [
        *(Kind(known[what][0], mask, known[what][1]) for what, mask in unseen.items()),
        Kind("surely answered", confidence >= SURE, f"the answer's probability is {SURE:.0%} or more"),
        Kind("hardly answered", confidence < UNSURE, f"the answer's probability is below {UNSURE:.0%}"),
    ]


def error_kinds(
    truth: Classes, said: Classes, kinds: list[Kind], labels: list[str], *, intervals: bool
) -> list[dict[str, Any]]:
    """How many errors of a candidate are of each kind; kinds without a row are left out.

    Args:
        truth: true classes, shape (n,).
        said: predicted ones, shape (n,).
        kinds: the properties.
        labels: the classes' names.
        intervals: whether to give each rate a 95 % interval (Wilson's).

    Returns:
        For each kind: ``kind``; ``group`` (``rows``, or ``confusion`` for what one label was taken for); ``rows`` of
        that kind; ``errors`` among them; their ``share`` of all errors; ``rate`` (errors / rows) and its ``interval``;
        ``usual``, the error rate of all rows; ``more``: whether the rate is above the usual one (true), below it
        (false), or neither beyond chance (null; always null for confusions); ``about``.
    """
    wrong = truth != said
    if not len(truth) or not wrong.any():
        return []
    usual = round(float(wrong.mean()), 6)
    found = [(kind, int(kind.mask.sum()), int(wrong[kind.mask].sum())) for kind in kinds if kind.mask.any()]
    lines = [_line("rows", kind.name, kind.about, rows, errors, wrong, intervals) for kind, rows, errors in found]
    for line in lines:
        low, high = line["interval"] or (0.0, 1.0)
        line |= {"usual": usual, "more": True if low > usual else False if high < usual else None}
    return lines + _confusions(truth, said, labels, usual, intervals)


def _line(group: str, kind: str, about: str, rows: int, errors: int, wrong: Mask, intervals: bool) -> dict[str, Any]:
    return {
        "kind": kind,
        "group": group,
        "rows": rows,
        "errors": errors,
        "share": round(errors / int(wrong.sum()), 6),
        "rate": round(errors / rows, 6),
        "interval": share_interval(errors, rows) if intervals else None,
        "about": about,
    }


def _confusions(
    truth: Classes, said: Classes, labels: list[str], usual: float, intervals: bool
) -> list[dict[str, Any]]:
    """The labels most often taken for another; the rows are those of the label."""
    counts, wrong = confusion_counts(truth, said, len(labels)), truth != said
    pairs = [(int(counts[a, b]), int(a), int(b)) for a, b in np.argwhere(counts) if a != b]
    lines = []
    for errors, a, b in sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:CONFUSIONS]:
        about = f"rows of {labels[a]}, taken for {labels[b]}"
        line = _line("confusion", f"{labels[a]} → {labels[b]}", about, int(counts[a].sum()), errors, wrong, intervals)
        lines.append(line | {"usual": usual, "more": None})
    return lines


def _mask(values: Any) -> Mask:
    return np.fromiter(values, dtype=np.bool_)
