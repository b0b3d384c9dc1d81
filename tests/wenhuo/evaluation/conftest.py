"""Candidates built in code: what they said before and after training is known row by row."""

from __future__ import annotations

import numpy as np
import pytest

from wenhuo.evaluation.answers import Answers, Part
from wenhuo.evaluation.figures import measured, summarise
from wenhuo.evaluation.material import Material, Shown
from wenhuo.models.folder import Card
from wenhuo.training.history import Point
from wenhuo.training.options import LinearCandidate, TransformerCandidate

LINEAR = LinearCandidate(kind="linear", encoder="ngrams")
NETWORK = TransformerCandidate(kind="transformer", encoder="characters", tune="lora", head="cnn")
ROWS = 240


def rows_of(split: str, labels: list[str], rows: int = ROWS) -> Part:
    truth = np.arange(rows) % len(labels)
    texts = [f"第{row}句：<b>房间</b>很干净，前台也热情" for row in range(rows)]
    return Part([f"{split}-{row:04d}" for row in range(rows)], texts, truth, np.arange(rows) % 5 == 0)


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
        card = Card(kind=kind, labels=labels, cleaning={}, encoder=encoder, trained_on={}, backbone="scratch")
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
    return Material(summary, parts, shown)


@pytest.fixture(scope="package")
def material() -> Material:
    return make(["差评", "好评"], {"linear": 8, "mini": 12})
