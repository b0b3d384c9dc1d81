"""Candidates built in code: what they said before and after training is known row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wenhuo.evaluation.answers import Answers, Part
from wenhuo.evaluation.calibration import calibration
from wenhuo.evaluation.error_kinds import error_kinds, kinds_of_answers, kinds_of_texts
from wenhuo.evaluation.figures import measured, summarise
from wenhuo.evaluation.material import Material, Shown
from wenhuo.evaluation.robustness import Trials, robustness
from wenhuo.evaluation.slicing import cut_by_encoder, cuts, sliced
from wenhuo.models.folder import Card
from wenhuo.perturbing.options import KINDS, Robustness
from wenhuo.training.history import Point
from wenhuo.training.options import LinearCandidate, TransformerCandidate

LINEAR = LinearCandidate(kind="linear", encoder="ngrams")
NETWORK = TransformerCandidate(kind="transformer", encoder="characters", tune="lora", head="cnn")
ROWS = 240


def rows_of(split: str, labels: list[str], rows: int = ROWS) -> Part:
    truth = np.arange(rows) % len(labels)
    texts = [f"第{row}句：<b>房间</b>很干净，前台也热情{'，但是不安静' * (row % 3)}" for row in range(rows)]
    named = {"source": [("酒店", "<i>书</i>")[row % 4 == 0] for row in range(rows)]}
    return Part([f"{split}-{row:04d}" for row in range(rows)], texts, truth, np.arange(rows) % 5 == 0, named)


def saying(guesses: np.ndarray, classes: int, sure: float = 0.9) -> np.ndarray:
    """Probabilities of classes that were guessed; the later the row, the surer by a little."""
    found = np.full((len(guesses), classes), (1 - sure) / max(1, classes - 1))
    found[np.arange(len(guesses)), guesses] = sure + np.arange(len(guesses)) * 1e-4
    return found / found.sum(1, keepdims=True)


def wrong_on(truth: np.ndarray, classes: int, every: int) -> np.ndarray:
    """The truth, and the next class on every so many rows; 0: on none."""
    rows = np.arange(len(truth))
    return np.where((rows % every == 1) if every else np.zeros(len(truth), bool), (truth + 1) % classes, truth)


def course(best: float) -> list[Point]:
    loss = [Point(step, step / 40, "train/loss", 1 / step) for step in range(10, 121, 10)]
    scores = [best - 0.1, best, best]
    kept = [Point(40 * n, float(n), "validation/macro_f1", score) for n, score in enumerate(scores, 1)]
    return [*loss, *kept, *(Point(40 * n, float(n), "validation/loss", 0.6) for n in (1, 2, 3))]


def make(
    labels: list[str], wrong: dict[str, int], *, bootstrap: int = 100, rows: int = ROWS, untrained: bool = True
) -> Material:
    """Material of candidates that err on every so many rows; those called linear… are linear models."""
    parts = {split: rows_of(split, labels, rows) for split in ("validation", "test")}
    answers, shown, counted = {}, {}, {}
    for name, every in wrong.items():
        linear = name.startswith("linear")
        said = {s: saying(wrong_on(part.truth, len(labels), every), len(labels)) for s, part in parts.items()}
        encoder = {"kind": "ngrams" if linear else "tokens"}
        kind = "linear" if linear else "transformer"
        fitted = {} if linear else {"temperature": 1.4, "abstain_below": 0.85, "abstain_for": 0.95}
        card = Card(kind=kind, labels=labels, cleaning={}, encoder=encoder, trained_on={}, backbone="scratch", **fitted)
        answers[name] = Answers(said, 1.0, card)
        counted[name] = {"all": 8000, "trained": 8000 if linear else 80}
        before = (
            {} if linear or not untrained else dict.fromkeys(parts["validation"].ids, [1.0] + [0.0] * (len(labels) - 1))
        )
        shown[name] = Shown(LINEAR if linear else NETWORK, answers[name], [] if linear else course(0.9), before)
    chance = {"bootstrap": bootstrap, "seed": 1}
    measures = {name: measured(one, parts, labels, **chance) for name, one in answers.items()}
    dataset = {"source": "评论", "synthetic": True, "rows": {"train": 9, "test": rows}, "hash": {}, "labels": labels}
    summary = summarise(measures, answers, counted, parts["validation"], dataset, **chance)
    summary |= weak_points(answers, parts["test"], labels, bootstrap)
    summary |= {"calibration": calibration(answers, parts, labels)}
    return Material(summary, parts, shown)


def weak_points(answers: dict[str, Answers], test: Part, labels: list[str], bootstrap: int) -> dict[str, Any]:
    """As evaluate measures them: each kind of perturbation turns ever more answers of every candidate round."""
    k, rows = len(labels), np.arange(len(test.ids))
    places = {kind: rows[:: 2 + 3 * n] for n, kind in enumerate(KINDS)}
    trials = Trials(Robustness(), rows, places, {})
    asked = {}
    for name, one in answers.items():
        turned = {kind: saying((test.truth[at] + 1) % k, k) for kind, at in places.items()}
        asked[name] = Answers(one.by_split | turned, one.seconds, one.card)
    found = {
        "robustness": robustness(asked, test, trials, k, bootstrap=bootstrap, seed=1),
        "slices": {},
        "error_kinds": {},
    }
    for name, one in answers.items():
        said = one.by_split["test"].argmax(axis=1)
        unseen = {} if name.startswith("linear") else {"cut": rows % 7 == 0, "unknown": rows % 3 == 0}
        parts = [*cuts(test), *cut_by_encoder(unseen)]
        kinds = [*kinds_of_texts(test, set(test.ids[1:9])), *kinds_of_answers(one.by_split["test"], unseen)]
        found["slices"][name] = sliced(test, said, parts, k, intervals=bootstrap > 0)
        found["error_kinds"][name] = error_kinds(test.truth, said, kinds, labels, intervals=bootstrap > 0)
    return found


@pytest.fixture(scope="package")
def material() -> Material:
    return make(["差评", "好评"], {"linear": 8, "mini": 12})
