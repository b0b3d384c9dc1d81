"""One fine-tuning for ``benchmarks.pretraining`` in a process of its own: a checkpoint, or a network from nothing.

``python -m benchmarks.fine_tuning SPLITS CHECKPOINT pretrained 1 RESULT.json``
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import typer

from wenhuo.files import write_json

SHAPE: dict[str, Any] = {"layers": 4, "hidden": 256, "heads": 4}
FINE_TUNING: dict[str, Any] = {"batch_size": 32, "epochs": 4, "patience": 2, "head": {"kind": "mean"}}
RATES = {"pretrained": 0.0003, "scratch": 0.0005}
ENCODING: dict[str, Any] = {"max_tokens": 192}


def main(parts: Path, checkpoint: Path, start: str, seed: int, target: Path) -> None:
    """Fine-tune, and write validation's and test's accuracy; ``start`` is pretrained or scratch."""
    from wenhuo import Classifier
    from wenhuo.encoding import corpus
    from wenhuo.encoding.options import Tokens
    from wenhuo.training.candidate import train_transformer
    from wenhuo.training.options import TransformerCandidate

    began = time.process_time()
    dataset, work = corpus.read_dataset(parts), target.with_suffix(".work")
    corpus.encode_tokens(Tokens(kind="tokens", tokenizer=str(checkpoint), **ENCODING), dataset, work / "encoded")
    backbone = {"backbone": "scratch", **SHAPE} if start == "scratch" else {"backbone": "checkpoint"}
    chosen = {"kind": "transformer", "encoder": "x", **FINE_TUNING, "learning_rate": RATES[start], **backbone}
    options = TransformerCandidate.model_validate(chosen)
    (work / "model").mkdir(exist_ok=True)
    train_transformer(options, seed, work / "encoded", work / "model", work / "checkpoints", lambda points: None)
    classifier = Classifier.load(work / "model")
    found = {
        name: float((classifier.probabilities(dataset.texts(name)).argmax(1) == dataset.class_ids(name)).mean())
        for name in ("validation", "test")
    }
    write_json(target, found | {"seed": seed, "core_seconds": time.process_time() - began})
    shutil.rmtree(work)


if __name__ == "__main__":
    typer.run(main)
