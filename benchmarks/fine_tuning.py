"""One fine-tuning for ``benchmarks.pretraining`` and ``benchmarks.backbone``, in a process of its own.

``python -m benchmarks.fine_tuning SPLITS CHECKPOINT pretrained 1 RESULT.json``: a checkpoint, or a network from nothing
with the checkpoint's tokenizer. ``--chosen OPTIONS.json`` names other options of the candidate and of its encoder.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from wenhuo.files import read_json, write_json

SHAPE: dict[str, Any] = {"layers": 4, "hidden": 256, "heads": 4}
FINE_TUNING: dict[str, Any] = {"batch_size": 32, "epochs": 4, "patience": 2, "head": {"kind": "mean"}}
RATES = {"pretrained": 0.0003, "scratch": 0.0005}
ENCODING: dict[str, Any] = {"max_tokens": 192}


def main(
    parts: Path,
    checkpoint: Path,
    start: str,
    seed: int,
    target: Path,
    chosen: Annotated[Path | None, typer.Option(help="JSON: options of the `candidate` and its `encoding`.")] = None,
) -> None:
    """Fine-tune, and write validation's and test's accuracy; ``start`` is pretrained or scratch."""
    options = read_json(chosen) if chosen else {"candidate": FINE_TUNING | {"learning_rate": RATES[start]}}
    backbone = {"backbone": "scratch", **SHAPE} if start == "scratch" else {"backbone": "checkpoint"}
    fine_tune(parts, checkpoint, options["candidate"] | backbone, seed, target, options.get("encoding", ENCODING))


def fine_tune(
    parts: Path, checkpoint: Path, candidate: dict[str, Any], seed: int, target: Path, encoding: dict[str, Any]
) -> None:
    """Fine-tune a candidate on splits; write the accuracies, and the seconds from encoding to the end of training."""
    from wenhuo import Classifier
    from wenhuo.encoding import corpus
    from wenhuo.encoding.options import Tokens
    from wenhuo.training.candidate import train_transformer
    from wenhuo.training.options import TransformerCandidate

    began, wall = time.process_time(), time.monotonic()
    dataset, work = corpus.read_dataset(parts), target.with_suffix(".work")
    corpus.encode_tokens(Tokens(kind="tokens", tokenizer=str(checkpoint), **encoding), dataset, work / "encoded")
    options = TransformerCandidate.model_validate({"kind": "transformer", "encoder": "x", **candidate})
    (work / "model").mkdir(exist_ok=True)
    train_transformer(options, seed, work / "encoded", work / "model", work / "checkpoints", lambda points: None)
    seconds = time.monotonic() - wall
    classifier = Classifier.load(work / "model")
    found = {
        name: float((classifier.probabilities(dataset.texts(name)).argmax(1) == dataset.class_ids(name)).mean())
        for name in ("validation", "test")
    }
    times = {"core_seconds": time.process_time() - began, "seconds": seconds}
    write_json(target, found | {"seed": seed, **times})
    shutil.rmtree(work)


if __name__ == "__main__":
    typer.run(main)
