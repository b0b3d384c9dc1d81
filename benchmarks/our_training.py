"""What ``benchmarks.training_speed`` measures of ours: the engine itself, told which batches it should take.

``python -m benchmarks.our_training ORDER.json RESULT.json``; for orders see ``benchmarks/training_orders.py``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training_orders import Order, read_order, started, write_result
from wenhuo.training import launching
from wenhuo.training.batches import Lengths, Plan


@dataclass(frozen=True)
class Given(Plan):
    """Batches that somebody chose: in the first epoch those that warm up, in the others those that are measured."""

    chosen: list[Lengths] = field(default_factory=list)
    warm: int = 0

    def batches(self, epoch: int) -> list[Lengths]:
        """The batches of an epoch."""
        return self.chosen[self.warm :] if epoch else self.chosen[: self.warm]

    @cached_property
    def starts(self) -> list[int]:
        """The step at which each epoch begins, and the number of all."""
        return [0, *(self.warm + i * (len(self.chosen) - self.warm) for i in range(self.epochs))]


def options(order: Order) -> Any:
    """The defaults, but for what both sides share."""
    from wenhuo.training.options import TransformerCandidate

    return TransformerCandidate(
        kind="transformer",
        encoder="benchmark",
        backbone="checkpoint",
        epochs=order.epochs,
        patience=order.epochs,
        batch_size=order.batch_size,
        learning_rate=order.learning_rate,
        weight_decay=order.weight_decay,
        tune={"kind": order.tune},
        log_steps=10 if order.whole else 1,
        checkpoint_seconds=30 if order.whole else 3600,  # the recipe saves nothing either in a few steps
    )


def some_steps(order: Order, folder: Path) -> dict[str, Any]:
    """The engine's loop over the chosen batches: seconds of each step that is measured, and of each epoch."""
    from wenhuo.encoding import tokens
    from wenhuo.encoding.corpus import read_card
    from wenhuo.encoding.options import Tokens
    from wenhuo.encoding.store import read_rows
    from wenhuo.models import backbones, heads, transformer
    from wenhuo.training import assembly, loop

    encoded, chosen = Path(order.encoded), options(order)
    encoder = Tokens.model_validate(read_card(encoded)["options"])
    train, validation = (read_rows(encoded / f"{name}.arrow") for name in ("train", "validation"))
    loop.seed_everything(order.seed)
    backbone = backbones.pretrained_backbone(order.checkpoint, None)
    network = transformer.Network(backbone, heads.Mean(kind="mean"), len(order.labels), chosen.dropout)
    clock = Clock()
    rows = assembly.Rows(train, validation, tokens.load(encoded, encoder).pad, encoder.pool, order.labels)
    training = assembly.assemble(network, rows, chosen, order.seed, folder / "checkpoints", clock.note)
    batches = [np.array(batch) for batch in order.batches]
    training.plan = Given(train.lengths, order.seed, order.epochs, order.batch_size, None, batches, order.warm)
    training.run()
    measured = {"steps": clock.steps, "cpu": clock.cpu, "epochs": clock.epochs, "first_step": clock.first - started()}
    return measured | {"dtype": str(training.train.dtype), "device": str(training.train.device)}


class Clock:
    """Told of every point of the curves: when a step ended, and when an epoch was measured."""

    def __init__(self) -> None:
        self.last = self.epoch = time.perf_counter()
        self.used, self.first = time.process_time(), 0.0
        self.steps: list[float] = []
        self.cpu: list[float] = []
        self.epochs: list[float] = []

    def note(self, points: list[Any]) -> None:
        """New points: of a step, or of the validation that ends an epoch and is no part of any step."""
        now, used = time.perf_counter(), time.process_time()
        if points[0].metric == "train/loss":
            self.steps.append(now - self.last)
            self.cpu.append(used - self.used)
            self.first = self.first or now
        else:
            self.epochs.append(now - self.epoch)
            self.epoch = now
        self.last, self.used = now, used


def whole(order: Order, folder: Path) -> dict[str, Any]:
    """A fine-tuning as the stage ``train`` does it, and the stored model's accuracy on test."""
    import polars as pl

    from wenhuo import Classifier
    from wenhuo.training.candidate import train_transformer

    model, clock = folder / "model", Clock()
    model.mkdir()
    began = time.perf_counter()
    train_transformer(options(order), order.seed, Path(order.encoded), model, folder / "checkpoints", clock.note)
    seconds = time.perf_counter() - began
    test = pl.read_parquet(Path(order.parts) / "test.parquet")
    classifier = Classifier.load(model)
    found = classifier.probabilities(test["text"].to_list()).argmax(1)
    truth = [classifier.labels.index(label) for label in test["label"].to_list()]
    return {"seconds": seconds, "epochs": clock.epochs, "accuracy": float((found == np.array(truth)).mean())}


def main(order: Order, result: Path) -> None:
    """Train as the order says and write what was measured."""
    launching.prepare()
    with tempfile.TemporaryDirectory() as folder:
        write_result(result, (whole if order.whole else some_steps)(order, Path(folder)))


if __name__ == "__main__":
    main(read_order(Path(sys.argv[1])), Path(sys.argv[2]))
