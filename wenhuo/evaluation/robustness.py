"""What typing errors, wrong homophones, traditional script and dropped punctuation do to a candidate's answers.

Some rows of test are perturbed, the same for every candidate; it is asked about those that changed, and keeps its
answer to the others. All figures are about the same rows, so that a fall is the perturbation's doing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wenhuo.console import track
from wenhuo.evaluation.answers import Answers, Part
from wenhuo.metrics.brief import accuracy_and_macro_f1, accuracy_interval
from wenhuo.metrics.paired import differences
from wenhuo.perturbing.lexicon import Lexicon, build
from wenhuo.perturbing.options import Kind, Robustness
from wenhuo.perturbing.perturb import changer, generator

PLAIN = "plain"
TAUGHT = 20_000
"""Train rows from which the commonness of words is learnt: 7,536 reviews of 108 characters take 2 s."""

Classes = NDArray[np.int64]


@dataclass(frozen=True)
class Trials:
    """The sample of test that is perturbed.

    Attributes:
        rows: its positions in test, shape (m,).
        changed: kind to the positions in the sample of the texts that it changes.
        parts: kind to these rows, with their texts perturbed.
        options: what was asked for.
    """

    options: Robustness
    rows: Classes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    changed: Mapping[Kind, Classes] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)


def perturb(test: Part, train: Path, options: Robustness) -> Trials:
    """Draw the sample, and perturb it in every way that is asked for.

    Args:
        test: all its rows.
        train: the train rows (Parquet, column ``text``, in the order of their ids), which teach what words are common.
        options: how many rows, in which ways.
    """
    rows = sample(test.ids, options.rows)
    if not len(rows):
        return Trials(options)
    lexicon = build(_texts(train)) if "homophones" in options.kinds else Lexicon({})
    found = {kind: _perturbed(kind, test, rows, lexicon, options) for kind in options.kinds}
    changed = {kind: np.array([at for at, _ in texts], dtype=np.int64) for kind, texts in found.items()}
    parts = {str(kind): _part(test, rows[changed[kind]], [text for _, text in found[kind]]) for kind in found}
    return Trials(options, rows, changed, parts)


def sample(ids: Sequence[str], most: int) -> Classes:
    """Positions of the rows whose ids have the smallest SHA-256, at most so many, in that order."""
    order = sorted(range(len(ids)), key=lambda row: sha256(ids[row].encode()).digest())
    return np.array(order[:most], dtype=np.int64)


def _texts(train: Path) -> list[str]:
    texts: list[str] = pl.scan_parquet(train).select("text").head(TAUGHT).collect()["text"].to_list()
    return texts


def _perturbed(kind: Kind, test: Part, rows: Classes, lexicon: Lexicon, options: Robustness) -> list[tuple[int, str]]:
    """The places in the sample of the texts that change, and what they become."""
    change, found = changer(kind, lexicon, options.rate), []
    for at, row in enumerate(track(rows.tolist(), f"perturbing {kind}", len(rows))):
        text = change(test.texts[row], generator(options.seed, kind, test.ids[row]))
        if text != test.texts[row]:
            found.append((at, text))
    return found


def _part(test: Part, rows: Classes, texts: list[str]) -> Part:
    return Part([test.ids[row] for row in rows], texts, test.truth[rows], test.leaked[rows])


def robustness(
    answers: Mapping[str, Answers], test: Part, trials: Trials, classes: int, *, bootstrap: int, seed: int
) -> dict[str, Any] | None:
    """What ``metrics.json`` holds of it; None where no row was perturbed.

    Args:
        answers: candidate to its answers, on ``test`` and on each of the parts of ``trials``.
        test: all its rows.
        trials: what was perturbed.
        classes: how many labels there are.
        bootstrap: resamples behind each interval.
        seed: of the resampling.
    """
    if not len(trials.rows):
        return None
    options, chance = trials.options, {"resamples": bootstrap, "seed": seed}
    drawn = "all rows" if len(trials.rows) == len(test.ids) else "drawn by the hash of their ids"
    truth = test.truth[trials.rows]
    return {
        "rows": len(trials.rows),
        "sample": f"test, {drawn}",
        "kinds": list(options.kinds),
        "rate": options.rate,
        "seed": options.seed,
        "candidates": {
            name: {
                kind: _figures(truth, said[PLAIN], said[kind], trials.changed.get(kind), classes, chance)
                for kind in said
            }
            for name, said in ((name, guesses(one, trials)) for name, one in answers.items())
        },
    }


def guesses(answers: Answers, trials: Trials) -> dict[Any, Classes]:
    """The class that a candidate gives to each row of the sample, plain and under each kind, shape (m,) each."""
    plain = np.asarray(answers.by_split["test"][trials.rows].argmax(axis=1), dtype=np.int64)
    found = {PLAIN: plain}
    for kind, places in trials.changed.items():
        found[kind] = plain.copy()
        found[kind][places] = answers.by_split[kind].argmax(axis=1)
    return found


def _figures(
    truth: Classes, plain: Classes, said: Classes, changed: Classes | None, classes: int, chance: dict[str, int]
) -> dict[str, Any]:
    accuracy, macro_f1 = accuracy_and_macro_f1(truth, said, classes)
    lost = differences(truth, plain, said, classes, **chance)["accuracy"]
    return {
        "accuracy": accuracy,
        "interval": accuracy_interval(truth, said, **chance),
        "macro_f1": macro_f1,
        "changed_texts": 0.0 if changed is None else round(len(changed) / len(truth), 6),
        "changed_answers": round(float((plain != said).mean()), 6),
        "fall": lost.difference,
        "fall_interval": lost.interval,
    }
