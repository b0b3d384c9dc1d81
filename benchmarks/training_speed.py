"""Fine-tuning: ours beside the tutorials' recipe, on the same rows, seed, backbone and effective batch, in turns.

``python -m benchmarks.training_speed`` measures, each training in a process of its own, recipe, ours, recipe, ours:

- ``steps``: samples a second and peak memory over batches that are evenly spaced among an epoch's batches by length,
  so that a few of them stand for all; the largest are among them, and come first, so that memory has had its peak. Real
  rows only: padding counts as nothing. Saving is left out on both sides, and so is validation;
- ``whole``: fine-tunings of ``mini`` on leak-free rows: seconds, and the accuracy on test after as many epochs;
- ``head``: BERT-base frozen, its features kept: seconds of the first epoch, features included, and of the next ones;
- ``rate``: what a step of full rows gets out of the machine, beside the measured rate of matrix products.

``--section steps --shape base --data reviews`` measures only that; what was measured before stays in the results. The
recipe is ``benchmarks/peers/trainer_recipe.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks import training_data
from benchmarks.training_data import Corpus
from benchmarks.training_orders import Order, write_order
from benchmarks.training_results import about_machine, keep, show
from wenhuo.files import read_json

ROOT = Path(__file__).resolve().parents[1]
SIDES = {"recipe": "benchmarks.peers.trainer_recipe", "ours": "benchmarks.our_training"}
WARM = 3
MOST = {"train": 6000, "validation": 1000, "test": 2000}  # of a whole fine-tuning
SHAPES, DATA, SECTIONS = ("base", "mini"), ("reviews", "titles"), ("steps", "whole", "head", "rate")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    pairs: int = 2
    recipe_steps: int = 4
    our_steps: int = 16
    of_mini: int = 8  # times as many
    epochs: int = 2
    head_rows: int = 256


def train(side: str, order: Order, folder: Path) -> dict[str, Any]:
    """One training in a process of its own.

    Raises:
        SystemExit: it failed; what it said is shown.
    """
    write_order(folder / "order.json", order)
    command = [sys.executable, "-m", SIDES[side], str(folder / "order.json"), str(folder / "result.json")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{SIDES[side]} failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    found: dict[str, Any] = read_json(folder / "result.json")
    return found


def prepare(corpus: Corpus, shape: str, folder: Path, **smaller: Any) -> Order:
    """Rows, checkpoint and encoded rows in a folder, and the order that names them."""
    from wenhuo.encoding import corpus as encoding
    from wenhuo.encoding.options import Tokens

    parts = training_data.write_parts(corpus, folder / "parts")
    checkpoint = training_data.write_checkpoint(shape, corpus, folder / "checkpoint", **smaller)
    order = Order(str(parts), str(folder / "encoded"), str(checkpoint), corpus.labels)
    options = Tokens(kind="tokens", tokenizer=str(checkpoint), max_tokens=order.tokens, keep="head")
    encoding.encode_tokens(options, encoding.read_dataset(parts), folder / "encoded")
    return order


def few(corpus: Corpus, rows: int = 64) -> Corpus:
    """With few rows of validation and test, where these are no part of what is measured."""
    return replace(corpus, parts={s: p if s == "train" else p[:rows] for s, p in corpus.parts.items()})


def lengths(order: Order) -> Any:
    """Tokens of each train row."""
    from wenhuo.encoding.store import read_rows

    return read_rows(Path(order.encoded) / "train.arrow").lengths


def evenly(order: Order, count: int) -> list[list[int]]:
    """The largest batches of the engine's own first epoch, to warm up, and some evenly spaced by their size, mixed."""
    from wenhuo.training.batches import Plan

    known = lengths(order)
    batches = Plan(known, order.seed, 1, order.batch_size).batches(0)
    batches.sort(key=lambda rows: (len(rows) * known[rows].max(), rows[0]))
    places = np.linspace(0, len(batches) - 1, count).round().astype(int)
    mixed = np.random.default_rng(order.seed).permutation(places)
    return [batches[i].tolist() for i in [*range(len(batches) - WARM, len(batches)), *mixed]]


def rate_of(order: Order, result: dict[str, Any], clock: str = "steps") -> float:
    """Samples a second of the measured steps, or (``cpu``) a second of one core."""
    measured = order.batches[order.warm :]
    return sum(map(len, measured)) / sum(result[clock][order.warm :])


def steps(corpus: Corpus, shape: str, size: Size, folder: Path, **smaller: Any) -> dict[str, Any]:
    """Samples a second, in turns, with their ratio; peak memory; seconds until the first step is done."""
    order = replace(prepare(few(corpus), shape, folder, **smaller), warm=WARM)
    counts = {"recipe": size.recipe_steps, "ours": size.our_steps}
    times = size.of_mini if shape == "mini" else 1
    orders = {side: replace(order, batches=evenly(order, times * count)) for side, count in counts.items()}
    runs: dict[str, list[dict[str, Any]]] = {"recipe": [], "ours": []}
    for _ in range(size.pairs):
        for side, its in orders.items():
            found = train(side, its, folder)
            runs[side].append(found | {"rate": rate_of(its, found), "cpu_rate": rate_of(its, found, "cpu")})
    sides = {
        side: {
            "samples_per_second": [round(run["rate"], 2) for run in done],
            "samples_per_core_second": [round(run["cpu_rate"], 2) for run in done],
            "peak_gib": [round(run["peak_gib"], 2) for run in done],
            "device_gib": [round(run["device_gib"], 2) for run in done if "device_gib" in run],
            "first_step_seconds": [round(run["first_step"], 1) for run in done],
        }
        for side, done in runs.items()
    }
    known = lengths(order)
    tokens = {"mean_tokens": round(float(known.mean()), 1), "rows": len(known), "dtype": runs["ours"][0]["dtype"]}
    ratios = {name: compare(runs, key) for name, key in (("ratios", "rate"), ("cpu_ratios", "cpu_rate"))}
    return {"origin": corpus.origin, **tokens, **sides, **ratios}


def compare(runs: dict[str, list[dict[str, Any]]], what: str) -> list[float]:
    """Ours by the recipe's, for each pair."""
    return [round(b[what] / a[what], 2) for a, b in zip(runs["recipe"], runs["ours"], strict=True)]


def whole(corpus: Corpus, size: Size, folder: Path) -> dict[str, Any]:
    """Fine-tunings of ``mini`` with the shipped candidate's rate: seconds and accuracy on test."""
    order = prepare(training_data.leak_free(corpus, MOST), "mini", folder)
    order = replace(order, whole=True, epochs=size.epochs, learning_rate=0.001)
    found = {}
    for side in SIDES:
        done = train(side, order, folder)
        found[side] = {"seconds": round(done["seconds"], 1), "accuracy": round(done["accuracy"], 4)}
    return {"origin": corpus.origin, "epochs": size.epochs, "rows": len(lengths(order)), **found}


def head(corpus: Corpus, shape: str, size: Size, folder: Path, **smaller: Any) -> dict[str, Any]:
    """Seconds of the epochs when only the head is trained, on features that are computed in the first one."""
    parts = corpus.parts | {"train": corpus.parts["train"][: size.head_rows]}
    order = prepare(few(replace(corpus, parts=parts), 32), shape, folder, **smaller)
    batches = evenly(order, len(parts["train"]) // order.batch_size)[WARM:]
    order = replace(order, tune="head", epochs=4, batches=batches * 2, warm=len(batches))
    seconds = train("ours", order, folder)["epochs"]
    later = sum(seconds[1:]) / len(seconds[1:])
    return {
        "rows": size.head_rows,
        "first": round(seconds[0], 2),
        "later": round(later, 3),
        "times": seconds[0] / later,
    }


def rate(corpus: Corpus, shape: str, size: Size, folder: Path, **smaller: Any) -> dict[str, Any]:
    """Floating-point operations a second of steps whose rows are all full, as a share of the matrix products' rate."""
    from benchmarks.training_results import matrix_rate, operations

    order = prepare(few(corpus), shape, folder, **smaller)
    full = np.flatnonzero(lengths(order) == order.tokens)
    batch = 16 if about_machine()["gpu"] is None else 256
    count = max(2, min(size.our_steps // 2, len(full) // batch))
    batches = [full[np.arange(i * batch, (i + 1) * batch) % len(full)].tolist() for i in range(WARM + count)]
    order = replace(order, batch_size=batch, batches=batches, warm=WARM)
    found = train("ours", order, folder)
    done = operations(order) * rate_of(order, found) / 1e12
    reachable = matrix_rate(found["dtype"])
    share = {"step_tflops": round(done, 3), "matrix_tflops": round(reachable, 3), "share": round(done / reachable, 3)}
    return {"batch_size": batch, "dtype": found["dtype"], **share}


def main(
    section: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SECTIONS)}; all of them.")] = None,
    shape: Annotated[list[str] | None, typer.Option(help="base, mini; both.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="reviews, titles; both.")] = None,
    pairs: Annotated[int, typer.Option(help="Times that each side is measured.")] = Size.pairs,
    write: Annotated[bool, typer.Option(help="Write results/training_speed.json and the table in README.md.")] = True,
) -> None:
    """Measure ours beside the tutorials' recipe."""
    size = Size(pairs=pairs)
    wanted = section or SECTIONS
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        work = iter(Path(made) / str(i) for i in range(99))
        for name in data or DATA:
            corpus = getattr(training_data, name)()
            if "steps" in wanted:
                found |= {f"steps {s} {name}": steps(corpus, s, size, next(work)) for s in shape or SHAPES}
            if "whole" in wanted:
                found[f"whole mini {name}"] = whole(corpus, size, next(work))
        reviews = training_data.reviews()
        if "head" in wanted:
            found["head base reviews"] = head(reviews, "base", size, next(work))
        if "rate" in wanted:
            found["rate base reviews"] = rate(reviews, "base", size, next(work))
    show(keep(found) if write else found)


if __name__ == "__main__":
    typer.run(main)
