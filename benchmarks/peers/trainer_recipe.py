"""The tutorials' fine-tuning: transformers' Trainer, float32, every text filled up to 128 tokens, AdamW.

``python -m benchmarks.peers.trainer_recipe ORDER.json RESULT.json``; for orders see ``benchmarks/training_orders.py``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from benchmarks.training_orders import Order, read_order, started, write_result


class Rows(torch.utils.data.Dataset):
    """The data set of the tutorials: lists of numbers, made into tensors when asked for."""

    def __init__(self, table: pl.DataFrame, labels: list[str], tokenizer: Any, tokens: int) -> None:
        texts = table["text"].to_list()
        self.encodings = tokenizer(texts, padding="max_length", truncation=True, max_length=tokens)
        self.labels = [labels.index(label) for label in table["label"].to_list()]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        item = {name: torch.tensor(values[index]) for name, values in self.encodings.items()}
        return item | {"labels": torch.tensor(self.labels[index])}


class Clock(TrainerCallback):
    """When each step ended."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.cpu: list[float] = []

    def on_step_begin(self, *_given: Any, **_more: Any) -> None:
        """The first step's beginning."""
        if not self.times:
            self.on_step_end()

    def on_step_end(self, *_given: Any, **_more: Any) -> None:
        """A step's end."""
        self.times.append(time.perf_counter())
        self.cpu.append(time.process_time())


def accuracy(found: Any) -> dict[str, float]:
    """Share of right answers."""
    return {"accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean())}


def main(order: Order, result: Path) -> None:
    """Train as the order says and write what was measured."""
    set_seed(order.seed)
    tokenizer = AutoTokenizer.from_pretrained(order.checkpoint)
    labels = order.labels
    model = AutoModelForSequenceClassification.from_pretrained(order.checkpoint, num_labels=len(labels))
    tables = {name: pl.read_parquet(Path(order.parts) / f"{name}.parquet") for name in ("train", "validation", "test")}
    wanted = ("train", "validation", "test") if order.whole else ("train",)
    rows = {name: Rows(tables[name], labels, tokenizer, order.tokens) for name in wanted}
    chosen = rows["train"] if order.whole else torch.utils.data.Subset(rows["train"], np.concatenate(order.batches))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            per_device_train_batch_size=order.batch_size,
            num_train_epochs=order.epochs if order.whole else 1,
            learning_rate=order.learning_rate,
            weight_decay=order.weight_decay,
            warmup_steps=0.1,
            seed=order.seed,
            eval_strategy="epoch" if order.whole else "no",
            save_strategy="no",
            disable_tqdm=True,
        )
        clock = Clock()
        evaluated = rows.get("validation")
        trainer = Trainer(model, arguments, train_dataset=chosen, eval_dataset=evaluated, callbacks=[clock])
        trainer.compute_metrics = accuracy if order.whole else None
        began = time.perf_counter()
        trainer.train()
        measured: dict[str, Any] = {"seconds": time.perf_counter() - began, "first_step": clock.times[1] - started()}
        measured |= {"steps": np.diff(clock.times).tolist(), "cpu": np.diff(clock.cpu).tolist()}
        if order.whole:
            measured["accuracy"] = trainer.evaluate(rows["test"])["eval_accuracy"]
    write_result(result, measured)


if __name__ == "__main__":
    main(read_order(Path(sys.argv[1])), Path(sys.argv[2]))
