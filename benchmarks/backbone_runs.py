"""The runs behind ``benchmarks.backbone``: which there are, learning rates chosen on validation, one process each.

What a run found is a file named after all that it depends on, so that what is done is not done again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import typer

from benchmarks.backbone_data import SIZES, few
from benchmarks.training_data import Corpus, write_parts
from wenhuo.checkpoints import content_hash, locate
from wenhuo.errors import WenhuoError
from wenhuo.files import read_json, write_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS, WORK = ROOT / "benchmarks" / "results", ROOT / "benchmarks" / "work-backbone"
DATA = ROOT.parent / "shared" / "data"
NAMES = {"chnsenticorp": "ChnSentiCorp without leaks", "thucnews": "THUCNews titles", "eprstmt": "EPRSTMT few-shot"}
RATES = {"pretrained": (0.0001, 0.0003, 0.0006), "from nothing": (0.0005, 0.001)}
STARTS = tuple(RATES)
FIRST = 1
"""The seed whose validation accuracy chooses the learning rate."""


@dataclass(frozen=True)
class Suite:
    """What is measured, and where what is done lies.

    Attributes:
        checkpoint: the backbone's folder.
        tasks: data sets by name; several splits of one are averaged.
        seeds: fine-tunings of each.
        work: a folder.
        processes: fine-tunings at once, of one thread each on a CPU.
        sizes: labelled train rows of those that are no few-shot data.
        rates: the learning rates that validation chooses from.
    """

    checkpoint: Path
    tasks: dict[str, list[Corpus]]
    seeds: int
    work: Path
    processes: int = 2
    sizes: tuple[int | None, ...] = SIZES
    rates: dict[str, tuple[float, ...]] = field(default_factory=lambda: RATES)
    known: dict[Path, str] = field(default_factory=dict)

    @property
    def every(self) -> range:
        """All seeds."""
        return range(FIRST, FIRST + self.seeds)

    def places(self) -> Iterator[tuple[str, int | None]]:
        """Tasks and how many of their rows."""
        for name, splits in self.tasks.items():
            for rows in (None,) if len(splits) > 1 else self.sizes:
                if rows is None or rows < len(splits[0].parts["train"]):
                    yield name, rows

    def mark(self, folder: Path) -> str:
        """What stands for a checkpoint in the names of files."""
        if folder not in self.known:
            self.known[folder] = content_hash(folder).partition(":")[2][:12]
        return self.known[folder]


def checkpoint_folder(name: str) -> Path:
    """The folder of a checkpoint that was named on the command line; ends the process with an error where it is not."""
    try:
        return locate(name).folder
    except WenhuoError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def course(rows: int) -> dict[str, Any]:
    """How long and in which steps so many rows are learnt; the epoch that is kept is validation's choice."""
    for most, epochs, batch in ((64, 24, 8), (256, 16, 8), (1500, 10, 16)):
        if rows <= most:
            return {"epochs": epochs, "patience": epochs, "batch_size": batch}
    return {"epochs": 5, "patience": 2, "batch_size": 32}


def measure(suite: Suite, starts: Iterable[str] = STARTS) -> dict[str, Any]:
    """Everything: by task and number of rows what the linear model and the starts reach, with the chosen rates."""
    found: dict[str, Any] = {}
    for name, rows in suite.places():
        drawn = suite.every if rows is not None else [FIRST]  # of all rows the linear model has nothing to draw
        entry: dict[str, Any] = {"linear SVM": {"runs": [_linear(suite, name, rows, seed) for seed in drawn]}}
        for start in starts:
            rate = _choose(suite, name, rows, start)
            jobs = list(_jobs(suite, name, rows, start, rate, suite.every))
            entry[start] = {"learning_rate": rate, "runs": _done(suite, jobs)}
        found.setdefault(name, {})["all" if rows is None else str(rows)] = {
            way: told | summary(told["runs"]) for way, told in entry.items()
        }
    return found


def summary(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Mean, standard deviation, least and greatest test accuracy, and the mean of validation's."""
    test = np.array([run["test"] for run in runs])
    spread = float(test.std(ddof=1)) if len(test) > 1 else 0.0
    validation = float(np.mean([run["validation"] for run in runs]))
    ends = {"least": float(test.min()), "greatest": float(test.max())}
    return {"mean": float(test.mean()), "spread": spread, **ends, "validation": validation}


def _choose(suite: Suite, name: str, rows: int | None, start: str) -> float:
    """The rate with the best validation accuracy, the mean over the splits; the only one, if there is no other."""
    if len(suite.rates[start]) == 1:
        return suite.rates[start][0]
    tried = {rate: list(_jobs(suite, name, rows, start, rate, [FIRST])) for rate in suite.rates[start]}
    _done(suite, [job for jobs in tried.values() for job in jobs])
    return max(tried, key=lambda rate: sum(read_json(target)["validation"] for target, _ in tried[rate]))


Job = tuple[Path, list[str]]


def _jobs(suite: Suite, name: str, rows: int | None, start: str, rate: float, seeds: Iterable[int]) -> Iterator[Job]:
    """Where each fine-tuning writes, and its arguments."""
    for number in range(len(suite.tasks[name])):
        for seed in seeds:
            parts = _parts(suite, name, number, rows, seed)
            folder = suite.checkpoint if start == "pretrained" else _untrained(suite, seed)
            count = len(suite.tasks[name][number].parts["train"]) if rows is None else rows
            options = course(count) | {"learning_rate": rate, "head": {"kind": "mean"}}
            label = f"{suite.mark(folder)}-{name}-{number}-{rows or 'all'}-{rate:g}-{seed}"
            chosen = _chosen(suite, label, options, folder)
            target = suite.work / "runs" / chosen.name
            given = [str(parts), str(folder), "pretrained", str(seed), str(target), "--chosen", str(chosen)]
            yield target, given


def _chosen(suite: Suite, label: str, options: dict[str, Any], checkpoint: Path) -> Path:
    """A file with the options of a fine-tuning, named after them too: with others it is another run."""
    told = {"candidate": options, "encoding": _encoding(checkpoint)}
    mark = sha256(repr(sorted((key, sorted(values.items())) for key, values in told.items())).encode()).hexdigest()
    path = suite.work / "chosen" / f"{label}-{mark[:8]}.json"
    write_json(path, told)
    return path


def _encoding(checkpoint: Path) -> dict[str, Any]:
    """How long a row may be: 90 % of ChnSentiCorp's reviews are whole with 192 tokens."""
    return {"max_tokens": min(192, read_json(checkpoint / "config.json")["max_position_embeddings"])}


def _done(suite: Suite, jobs: list[Job]) -> list[dict[str, Any]]:
    """What the jobs found; those that are not done are, some at a time."""
    with ThreadPoolExecutor(suite.processes) as pool:
        list(pool.map(lambda job: _run(*job, threads=1), jobs))
    return [read_json(target) for target, _ in jobs]


def _run(target: Path, arguments: list[str], threads: int) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.fine_tuning", *arguments]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def _parts(suite: Suite, name: str, number: int, rows: int | None, seed: int) -> Path:
    """The folder of the splits; which rows few rows are depends on the seed."""
    label = f"{name}-{number}" if rows is None else f"{name}-{number}-{rows}-{seed}"
    folder = suite.work / "parts" / label
    if not (folder / "dataset.json").exists():
        write_parts(few(suite.tasks[name][number], rows, seed), folder)
    return folder


def _untrained(suite: Suite, seed: int) -> Path:
    """The same architecture and tokenizer with random weights."""
    folder = suite.work / "untrained" / f"{suite.mark(suite.checkpoint)}-{seed}"
    if not (folder / "model.safetensors").exists():
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        torch.manual_seed(seed)
        AutoTokenizer.from_pretrained(suite.checkpoint).save_pretrained(folder)
        AutoModel.from_config(AutoConfig.from_pretrained(suite.checkpoint)).save_pretrained(folder)
    return folder


def _linear(suite: Suite, name: str, rows: int | None, seed: int) -> dict[str, Any]:
    """The linear SVM, a mean over the splits: TF-IDF of character 1- to 3-grams; validation chooses C and rare ones."""
    target = suite.work / "runs" / f"linear-{name}-{rows or 'all'}-{seed}.json"
    if not target.exists():
        found = [linear(few(corpus, rows, seed)) for corpus in suite.tasks[name]]
        means = {key: float(np.mean([one[key] for one in found])) for key in ("validation", "test")}
        write_json(target, means | {"seed": seed, "chosen": [one["chosen"] for one in found]})
    told: dict[str, Any] = read_json(target)
    return told


def linear(corpus: Corpus) -> dict[str, Any]:
    """Accuracies of the linear model with the best validation accuracy."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    sides = {split: tuple(zip(*rows, strict=True)) for split, rows in corpus.parts.items()}
    tried = []
    for rare in (1, 2):
        given = {"analyzer": "char", "ngram_range": (1, 3), "sublinear_tf": True, "max_features": 300_000}
        vectorizer = TfidfVectorizer(min_df=rare, **given).fit(sides["train"][0])
        matrices = {split: vectorizer.transform(texts) for split, (texts, _) in sides.items()}
        for strength in (0.5, 2.0):
            model = LinearSVC(C=strength, random_state=0).fit(matrices["train"], sides["train"][1])
            scores = {split: float(model.score(matrices[split], sides[split][1])) for split in ("validation", "test")}
            tried.append(scores | {"chosen": {"min_rows": rare, "c": strength}})
    return max(tried, key=lambda one: one["validation"])


def seconds(suite: Suite, threads: int) -> dict[str, Any] | None:
    """One fine-tuning on the leak-free rows of ChnSentiCorp, 3 epochs, alone on the machine with so many threads."""
    if "chnsenticorp" not in suite.tasks:
        return None
    label = f"{suite.mark(suite.checkpoint)}-seconds-{threads}"
    options = course(10**6) | {"epochs": 3, "patience": 3, "learning_rate": 0.0003, "head": {"kind": "mean"}}
    chosen = _chosen(suite, label, options, suite.checkpoint)
    target = suite.work / "runs" / chosen.name
    parts = _parts(suite, "chnsenticorp", 0, None, FIRST)
    arguments = [str(parts), str(suite.checkpoint), "pretrained", "1", str(target), "--chosen", str(chosen)]
    _run(target, arguments, threads)
    rows = len(suite.tasks["chnsenticorp"][0].parts["train"])
    return {"rows": rows, "epochs": 3, "threads": threads, "seconds": read_json(target)["seconds"]}
