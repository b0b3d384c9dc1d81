"""Before and after: some validation rows, and what every candidate says of them, untrained and trained.

Nobody picks the rows. A training keeps what its network says of a hundred rows drawn by a hash of their ids before its
first step (:mod:`wenhuo.training.before`). Of these the page shows the first ones as they come, and then some that are
contested: on which the trained candidates do not agree, or of which a training took a right answer away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wenhuo.evaluation.material import Material, Shown
from wenhuo.training import before

CONTESTED_SHARE = 0.4  # of the rows shown; the others are shown whatever the models say


def before_and_after(material: Material, shown: int) -> dict[str, Any]:
    """The rows to show and what the candidates say of them, and how many of all rows drawn each has right.

    Args:
        material: what the page is made of.
        shown: rows at most.

    Returns:
        ``drawn`` and ``contested``: how many rows; ``tallies``: a line a candidate; ``groups``: a title and rows.
    """
    part = material.parts["validation"]
    drawn = before.drawn(part.ids, part.truth.tolist())
    contested = [row for row in drawn if _contested(material, row)]
    plain, more = choose(drawn, contested, shown)
    groups = {"Drawn by the hash of their ids": plain, "Contested among the others drawn": more}
    return {
        "drawn": len(drawn),
        "contested": len(contested),
        "tallies": [_tally(name, one, material, drawn) for name, one in material.candidates.items()],
        "groups": [
            {"title": title, "rows": [_line(material, row) for row in rows]} for title, rows in groups.items() if rows
        ],
    }


def choose(drawn: Sequence[int], contested: Sequence[int], shown: int) -> tuple[list[int], list[int]]:
    """Rows shown as they come, and contested ones behind them; where there are few of these, more as they come.

    Args:
        drawn: all rows, in their order.
        contested: some of them, in the same order.
        shown: how many rows at most.
    """
    plain = list(drawn[: shown - round(shown * CONTESTED_SHARE)])
    more = [row for row in contested if row not in plain][: shown - len(plain)]
    for row in drawn[len(plain) : shown]:
        if len(plain) + len(more) < shown and row not in more:
            plain.append(row)
    return plain, more


def _contested(material: Material, row: int) -> bool:
    key, truth = material.parts["validation"].ids[row], int(material.parts["validation"].truth[row])
    said = {name: int(one.guesses("validation")[row]) for name, one in material.candidates.items()}
    spoiled = (
        name
        for name, one in material.candidates.items()
        if key in one.before and said[name] != truth == int(np.argmax(one.before[key]))
    )
    return len(set(said.values())) > 1 or any(spoiled)


def _tally(name: str, one: Shown, material: Material, drawn: Sequence[int]) -> dict[str, Any]:
    """How many of the rows drawn a candidate has right; ``before`` is None where nothing was kept."""
    part, guesses = material.parts["validation"], one.guesses("validation")
    known = [row for row in drawn if part.ids[row] in one.before]
    untrained = sum(int(np.argmax(one.before[part.ids[row]])) == part.truth[row] for row in known)
    right = sum(guesses[row] == part.truth[row] for row in drawn)
    return {"name": name, "before": int(untrained) if known else None, "after": int(right)}


def _line(material: Material, row: int) -> dict[str, Any]:
    part = material.parts["validation"]
    truth = int(part.truth[row])
    return {
        "id": part.ids[row],
        "text": part.texts[row],
        "label": material.labels[truth],
        "said": {
            name: {
                "before": _answer(one.before.get(part.ids[row]), truth, material.labels),
                "after": _answer(one.answers.by_split["validation"][row].tolist(), truth, material.labels),
            }
            for name, one in material.candidates.items()
        },
    }


def _answer(probabilities: Sequence[float] | None, truth: int, labels: Sequence[str]) -> dict[str, Any] | None:
    if probabilities is None:
        return None
    guess = int(np.argmax(probabilities))
    return {"label": labels[guess], "probability": probabilities[guess], "right": guess == truth}


def surest(material: Material, one: Shown, shown: int) -> list[Mapping[str, Any]]:
    """The validation rows that a candidate gets wrong with the highest probability."""
    from wenhuo.metrics.tables import surest_errors

    part, probabilities = material.parts["validation"], one.answers.by_split["validation"]
    return [
        {
            "id": part.ids[row],
            "text": part.texts[row],
            "label": material.labels[part.truth[row]],
            "predicted": material.labels[probabilities[row].argmax()],
            "confidence": float(probabilities[row].max()),
        }
        for row in surest_errors(part.truth, probabilities, part.ids, shown)
    ]
