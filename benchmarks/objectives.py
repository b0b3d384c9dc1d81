"""Which objective, depth and masking are worth most at equal compute: small pretrainings, then fine-tunings of each.

``python -m benchmarks.objectives`` pretrains networks with the same budget: seconds of the processor's cores (or, on a
GPU, of its clock), so that one that is slower by the token sees fewer of them. The first learns from masked whole words
with 4 layers of 256, short texts joined to rows of all lengths; each other one differs from it in one thing: ELECTRA's
objective, 6 layers, single tokens, twice as many of them hidden, or each text a row by itself (``--every``: all
combinations). The text is held apart from the evaluation sets as the pipeline does it. Then each is fine-tuned on 1,000
rows of leak-free ChnSentiCorp and of THUCNews titles and on EPRSTMT's few-shot splits, with two seeds, which draw the
rows too: the same for every network. Validation's mean says which is best; test is written down beside it and chooses
nothing.

Writes ``benchmarks/results/objectives-480.json``, named after the budget, after each combination. What is done stays
under ``--work`` and is not done again; a pretraining that was killed goes on from its last checkpoint.
"""

from __future__ import annotations

import shutil
import time
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.backbone_data import tasks
from benchmarks.backbone_runs import Suite, measure
from wenhuo.checkpoints import RECORD
from wenhuo.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"

DEPTHS: dict[str, dict[str, Any]] = {
    "4x256": {"layers": 4, "hidden": 256, "heads": 4},
    "6x256": {"layers": 6, "hidden": 256, "heads": 4},
}
"""3.2 and 4.7 million weights in the layers: what fine-tuning in five minutes on two cores may just allow."""

OBJECTIVES: dict[str, dict[str, Any]] = {
    "masked": {"objective": "masked"},
    "replaced": {"objective": "replaced", "learning_rate": 0.0005},
}
"""ELECTRA with the rate of its paper: with the other's it had learnt only how many are replaced after 1.7 million."""

UNITS = {"words": True, "tokens": False}
SHARES = {"15%": 0.15, "30%": 0.3}
ROWS: dict[str, dict[str, Any]] = {
    "joined": {"join": True, "max_tokens": 512},
    "single": {"join": False, "max_tokens": 128},
}

COMMON: dict[str, Any] = {
    "vocabulary": 8000,
    "batch_tokens": 4096,
    "learning_rate": 0.001,
    "held_out_tokens": 50_000,
    "measurements": 10,
    "own_text": 0,
}
EVALUATION = ("chnsenticorp/*.tsv", "thucnews_titles/*.txt", "eprstmt_fewshot/*.json")
SIZES = (1000,)
RATES = {"pretrained": (0.0003,)}
"""One for all: a second seed tells more of a network than a second rate does of one seed."""


def combinations(*, every: bool = False) -> dict[str, dict[str, Any]]:
    """Names and options of what is compared: the first, and what differs from it in one thing, or in any number."""
    known = list(product(OBJECTIVES, DEPTHS, UNITS, SHARES, ROWS))
    return {
        " ".join(chosen): _options(*chosen)
        for chosen in known
        if every or sum(a != b for a, b in zip(chosen, known[0], strict=True)) < 2
    }


def _options(objective: str, depth: str, unit: str, share: str, rows: str) -> dict[str, Any]:
    chosen = {"whole_words": UNITS[unit], "mask": SHARES[share]}
    return {**OBJECTIVES[objective], **chosen, **DEPTHS[depth], **ROWS[rows]}


def options_of(chosen: dict[str, Any], lines: Path, **limit: int) -> Any:
    """The options of a pretraining."""
    from wenhuo.pretraining.options import Pretraining

    return Pretraining.model_validate({"text": [str(lines)], **COMMON, **chosen, **limit})


def text(corpus: list[str], data: Path, work: Path) -> Path:
    """The lines that may be learnt from."""
    from wenhuo.releasing.holding_out import hold_out

    lines = work / "lines.txt"
    if not (work / "hold_out.json").exists():
        evaluation = [str(data / pattern) for pattern in EVALUATION if list(data.glob(pattern))]
        write_json(work / "hold_out.json", hold_out(corpus, evaluation, 6, lines, work / "left_out.tsv"))
    return lines


def pretrained(chosen: dict[str, Any], lines: Path, seconds: float, work: Path, folder: Path) -> dict[str, Any]:
    """Pretrain with a budget, going on where an earlier run stopped; the network goes to ``folder / network``."""
    from wenhuo.pretraining.preparing import prepare
    from wenhuo.pretraining.pretrain import learn

    marks = "words" if chosen["whole_words"] else "tokens"
    rows = "joined" if chosen["join"] else "single"
    prepared = work / "prepared" / f"{marks}-{rows}-{chosen['hidden']}"
    prepare(options_of(chosen, lines, steps=1), None, prepared)
    if not (folder / "budget.json").exists():
        speed = _speed(chosen, lines, prepared, folder / "speed")
        write_json(
            folder / "budget.json", {"seconds": seconds, "tokens_a_second": speed, "tokens": int(speed * seconds)}
        )
    budget: dict[str, Any] = read_json(folder / "budget.json")
    if not (folder / "network" / RECORD).exists():
        (folder / "network").mkdir(parents=True, exist_ok=True)
        options = options_of(chosen, lines, tokens=budget["tokens"])
        learn(options, 13, prepared, dict, folder / "checkpoints", folder / "network", lambda points: None)
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    card = read_json(folder / "network" / RECORD)
    return budget | {key: card[key] for key in ("tokens", "passes", "steps", "parameters", "figures")}


def _speed(chosen: dict[str, Any], lines: Path, prepared: Path, work: Path, steps: int = 30) -> float:
    """Tokens of a second, of the cores or of a GPU's clock, by some steps after some others."""
    import torch

    from wenhuo.pretraining.pretrain import assemble

    clock = time.monotonic if torch.cuda.is_available() else time.process_time
    options = options_of(chosen | {"held_out_tokens": 0, "measurements": 1}, lines, steps=steps)
    for _ in range(2):
        shutil.rmtree(work, ignore_errors=True)
        training = assemble(options, 13, work, lambda points: None, prepared)
        began = clock()
        tokens = training.run().tokens
        took = clock() - began
    shutil.rmtree(work, ignore_errors=True)
    return float(tokens / took)


def score(found: dict[str, Any]) -> float:
    """The mean of validation's accuracies over what was measured."""
    values = [entry["pretrained"]["validation"] for by_rows in found.values() for entry in by_rows.values()]
    return sum(values) / len(values)


def show(done: dict[str, Any]) -> None:
    """Print what is known so far, the best by validation first."""
    table = Table("combination", "parameters", "million tokens", "validation, mean", "test accuracies")
    for name, told in sorted(done.items(), key=lambda item: -item[1]["score"]):
        tests = [
            f"{task} {rows} {100 * entry['pretrained']['mean']:.1f} ± {100 * entry['pretrained']['spread']:.1f}"
            for task, by_rows in told["tasks"].items()
            for rows, entry in by_rows.items()
        ]
        size = (f"{told['pretraining']['parameters']:,}", f"{told['pretraining']['tokens'] / 1e6:.1f}")
        table.add_row(name, *size, f"{100 * told['score']:.2f}", ", ".join(tests))
    Console(highlight=False).print(table)


def main(
    seconds: Annotated[float, typer.Option(help="Budget of each pretraining: of cores, or of a GPU's clock.")] = 480.0,
    corpus: Annotated[list[str] | None, typer.Option(help="Files of text, or globs; several times.")] = None,
    every: Annotated[bool, typer.Option("--every", help="All combinations, not one change at a time.")] = False,
    only: Annotated[str, typer.Option(help="Combinations whose name holds this.")] = "",
    seeds: Annotated[int, typer.Option(help="Fine-tunings of each.")] = 2,
    data: Annotated[Path, typer.Option(help="Folder of the published data sets.")] = SHARED / "data",
    work: Annotated[Path, typer.Option(help="Where what is done is kept.")] = ROOT / "benchmarks" / "work-objectives",
    results: Annotated[Path, typer.Option(help="Where the figures go.")] = RESULTS,
) -> None:
    """Pretrain, fine-tune, print and write, one combination after the other."""
    given = corpus or [str(SHARED / "corpus" / "part-000.txt.xz")]  # about three times what the budget reads
    known = tasks(data)
    if not known or not (corpus or Path(given[0]).exists()):
        typer.echo(f"nothing is compared: it needs data sets under {data} and text; see --data and --corpus")
        return
    work = work / f"{seconds:g}"
    work.mkdir(parents=True, exist_ok=True)
    lines, done = text(given, data, work), {}
    for name, chosen in combinations(every=every).items():
        if only not in name:
            continue
        folder = work / name.replace(" ", "-")
        about = pretrained(chosen, lines, seconds, work, folder)
        suite = Suite(folder / "network", known, seeds, work / "fine-tuned", sizes=SIZES, rates=RATES)
        found = measure(suite, ["pretrained"])
        done[name] = {"options": chosen, "pretraining": about, "tasks": found, "score": score(found)}
        target = results / f"objectives-{seconds:g}.json"
        write_json(target, {"seconds": seconds, "common": COMMON, "combinations": done})
        show(done)


if __name__ == "__main__":
    typer.run(main)
