"""The section about confusions: what each candidate takes for what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from wenhuo.evaluation.material import Material
from wenhuo.metrics.tables import confusion_counts
from wenhuo.pages.page import fragment

MATRIX_LABELS = 12  # of more, a matrix is too wide to be read
SHARES_LABELS = 5  # of more, the cells hold counts alone
DEEPEST = 45  # per cent of the colour of the worst error
PAIRS = 15  # labels confused with one another, listed in place of such a matrix
Counts = NDArray[np.int64]


def confusions(material: Material) -> Markup:
    """What each candidate takes for what on test: matrices of few labels, of many the pairs most often confused."""
    part, labels = material.parts["test"], material.labels
    if not len(part.truth):
        return Markup()
    counts = {
        name: confusion_counts(part.truth, one.guesses("test"), len(labels))
        for name, one in material.candidates.items()
    }
    return confusion_section(counts, labels)


def confusion_section(counts: Mapping[str, Counts], labels: list[str]) -> Markup:
    """The section of some candidates' confusions.

    Args:
        counts: candidate to rows by label (first axis) and by what they were taken for, shape (k, k).
        labels: the names of the k classes.
    """
    form = "pairs" if len(labels) > MATRIX_LABELS else "counts" if len(labels) > SHARES_LABELS else "shares"
    drawn = [
        {"name": name, "pairs": _pairs(one, labels)}
        if form == "pairs"
        else {"name": name, "lines": _matrix(one, labels, _worst(counts.values()))}
        for name, one in counts.items()
    ]
    return fragment("sections/confusions.html", candidates=drawn, labels=labels, form=form)


def _shares(counts: Counts) -> NDArray[np.float64]:
    return np.asarray(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), dtype=np.float64)


def _worst(matrices: Iterable[Counts]) -> float:
    """The largest share of a label's rows that any candidate takes for one other label: the deepest colour."""
    return max(float((_shares(one) * (1 - np.eye(len(one)))).max()) for one in matrices)


def _matrix(counts: Counts, labels: list[str], worst: float) -> list[dict[str, Any]]:
    shares = _shares(counts)
    return [
        {
            "label": label,
            "cells": [
                {
                    "rows": int(counts[actual, guess]),
                    "share": float(shares[actual, guess]),
                    "shade": 0.0 if actual == guess else float(DEEPEST * shares[actual, guess] / (worst or 1.0)),
                    "right": actual == guess,
                }
                for guess in range(len(labels))
            ],
        }
        for actual, label in enumerate(labels)
    ]


def _pairs(counts: Counts, labels: list[str]) -> list[dict[str, Any]]:
    """The labels most often taken for another, the most rows first."""
    wrong = [(int(counts[a, b]), int(a), int(b)) for a, b in np.argwhere(counts) if a != b]
    return [
        {"label": labels[a], "predicted": labels[b], "rows": rows, "share": rows / int(counts[a].sum())}
        for rows, a, b in sorted(wrong, key=lambda pair: (-pair[0], pair[1:]))[:PAIRS]
    ]
