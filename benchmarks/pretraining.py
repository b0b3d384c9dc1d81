"""What 20 minutes of pretraining on two cores are worth: ChnSentiCorp's test accuracy by tokens of pretraining.

``python -m benchmarks.pretraining`` makes the leak-free splits by the graph's own stages, pretrains a small BERT (4
layers of 256) on the train texts and on those lines of ``--corpus`` that are most like them, keeps the checkpoints at a
quarter, a half and the whole of the course, and fine-tunes each with several seeds, as it does the same network from
nothing. The budget is in core-seconds of the process (two cores for 20 minutes are 2,400), preparing the text included,
so that a busy neighbour changes how long it takes and not what is learnt. Each fine-tuning has one thread, two go at a
time. Its epoch is chosen on validation; the test set chooses nothing.

Writes ``benchmarks/results/pretraining.json`` and a picture. What is done stays under ``--work`` and is not done again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.fine_tuning import ENCODING, FINE_TUNING, RATES, SHAPE
from wenhuo.files import read_json, write_json

if TYPE_CHECKING:
    from wenhuo.pretraining.checkpoint import Progress

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"

PRETRAINING = {
    "closest": 0.1,
    "own_text": 3,
    "vocabulary": 6000,
    "max_tokens": 128,
    "mask": 0.2,
    "batch_tokens": 2048,
    "learning_rate": 0.0015,
    "held_out_tokens": 20_000,
    "measurements": 20,
    "checkpoint_seconds": 60,
}
KEPT = (0.25, 0.5)
YARDSTICKS = {"linear SVM": 0.8717, "from nothing, as known": 0.848, "after 6 million tokens, as known": 0.869}


def split(data: Path, work: Path) -> Path:
    """The folder of the leak-free splits, made by the stages up to `split` in a copy of the project."""
    project = work / "project"
    if not (project / "data" / "split").exists():
        shutil.rmtree(project, ignore_errors=True)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/", "dvc.lock")):
                (project / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, project / name)
        subprocess.run(["git", "init", "-q"], cwd=project, check=True)
        parameters = project / "params.yaml"
        text = parameters.read_text(encoding="utf-8")
        parameters.write_text(text.replace("source: sample", f"source: {data}", 1), encoding="utf-8")
        _python(project, "-m", "dvc", "repro", "split")
    return project / "data" / "split"


def _python(folder: Path, *arguments: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([sys.executable, *arguments], cwd=folder, env=os.environ | {"PATH": path}, check=True)


def pretrain(parts: Path, corpus: Path, core_seconds: float, work: Path) -> dict[str, Any]:
    """Pretrain with a budget, going on where a run before this one stopped; keep the checkpoints."""
    from wenhuo.pretraining.pretrain import save_result

    if not (work / "budget.json").exists():
        write_json(work / "budget.json", _budget(parts, corpus, core_seconds, work))
    budget = read_json(work / "budget.json")
    training = _assembled(_options(corpus, tokens=budget["tokens"]), work / "course", work / "prepared")

    def keep(_: Progress, share: float) -> None:
        for place in KEPT:
            folder = work / "checkpoints" / f"{place:.2f}"
            if share >= place and not folder.exists():
                save_result(training, _made(folder))

    training.kept = keep
    progress = training.run()
    save_result(training, _made(work / "checkpoints" / "1.00"))
    held_out = [{"step": p.step, p.metric: p.value} for p in progress.points if p.metric.startswith("held_out/")]
    about = {"tokens": progress.tokens, "steps": progress.step, "passes": progress.tokens / training.course.pass_tokens}
    parameters = sum(p.numel() for p in training.model.inner.parameters())
    return about | {"parameters": parameters, "budget": budget, "held_out": held_out}


def _budget(parts: Path, corpus: Path, core_seconds: float, work: Path) -> dict[str, float]:
    """Prepare the text; how many tokens the core-seconds that are left then are enough for."""
    from wenhuo.pretraining.pretrain import prepare

    options, began = _options(corpus, tokens=10**9), time.process_time()
    prepare(options, parts, work / "prepared")
    preparing = time.process_time() - began
    speed = _speed(options, work)
    tokens = int(speed * (core_seconds - preparing))
    return {"core_seconds": core_seconds, "preparing": preparing, "tokens_a_core_second": speed, "tokens": tokens}


def _options(corpus: Path, **more: Any) -> Any:
    from wenhuo.pretraining.options import Pretraining

    return Pretraining.model_validate({"text": [f"{corpus}/*.txt.xz"], **SHAPE, **PRETRAINING, **more})


def _assembled(options: Any, work: Path, prepared: Path) -> Any:
    from wenhuo.pretraining.pretrain import PREPARED, assemble

    work.mkdir(parents=True, exist_ok=True)
    if not (work / PREPARED).exists():
        (work / PREPARED).symlink_to(prepared.resolve())
    return assemble(options, 13, work, lambda points: None)


def _speed(options: Any, work: Path, steps: int = 30) -> float:
    """Tokens of a core-second, by some steps of a training that is thrown away."""
    tried = options.model_copy(update={"tokens": None, "steps": steps, "measurements": 1, "held_out_tokens": 0})
    shutil.rmtree(work / "speed", ignore_errors=True)
    _assembled(tried, work / "speed", work / "prepared").run()
    shutil.rmtree(work / "speed")
    training = _assembled(tried, work / "speed", work / "prepared")
    began = time.process_time()
    return float(training.run().tokens / (time.process_time() - began))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fine_tune_all(parts: Path, work: Path, seeds: int) -> dict[str, list[dict[str, Any]]]:
    """Each checkpoint with each seed, two at a time; all with one seed first, so that a glance shows the curve."""
    places = {"1.00": "pretrained", "0.50": "pretrained", "0.25": "pretrained", "0.00": "scratch"}
    jobs = []
    for seed in range(1, seeds + 1):
        for place, start in places.items():
            folder = work / "checkpoints" / ("1.00" if start == "scratch" else place)
            target = work / "fine-tuned" / f"{place}-{seed}.json"
            jobs.append((place, target, [str(parts), str(folder), start, str(seed), str(target)]))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: _fine_tuned(job[1], job[2]), jobs))
    return {place: [read_json(target) for at, target, _ in jobs if at == place] for place in sorted(places)}


def _fine_tuned(target: Path, arguments: list[str]) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.fine_tuning", *arguments]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=True)


def summary(found: dict[str, list[dict[str, Any]]], tokens: int) -> list[dict[str, Any]]:
    """The curve: tokens of pretraining, and the mean, least and greatest accuracy over the seeds."""
    rows = []
    for place, runs in found.items():
        row: dict[str, Any] = {"tokens": round(float(place) * tokens)}
        for name in ("validation", "test"):
            values = [run[name] for run in runs]
            row[name] = {"mean": sum(values) / len(values), "least": min(values), "greatest": max(values)}
        rows.append(row | {"runs": runs})
    return rows


def show(curve: list[dict[str, Any]]) -> None:
    """Print the curve beside what is known."""
    table = Table("tokens of pretraining", "test accuracy", "least", "greatest", "validation")
    for row in curve:
        test = row["test"]
        figures = (test["mean"], test["least"], test["greatest"], row["validation"]["mean"])
        table.add_row(f"{row['tokens']:,}", *(f"{figure:.4f}" for figure in figures))
    for name, value in YARDSTICKS.items():
        table.add_row(name, f"{value:.4f}", "", "", "")
    Console(highlight=False).print(table)


def draw(curve: list[dict[str, Any]], target: Path) -> None:
    """Accuracy against tokens of pretraining."""
    from wenhuo.metrics.drawing import head, look, new_figure, note, save, style

    with style():
        figure = new_figure(6.4, 4.2)
        axes = figure.add_subplot()
        tokens = [row["tokens"] / 1e6 for row in curve]
        for place, name in enumerate(("test", "validation")):
            axes.plot(tokens, [row[name]["mean"] for row in curve], label=name, **look(place))
            for row, at in zip(curve, tokens, strict=True):
                axes.plot([at] * len(row["runs"]), [run[name] for run in row["runs"]], ".", color=look(place)["color"])
        axes.axhline(YARDSTICKS["linear SVM"], linestyle=":", color="0.4", label="linear SVM, test")
        axes.set(xlabel="million tokens of pretraining", ylabel="accuracy")
        axes.legend()
        head(figure, "Leak-free ChnSentiCorp after pretraining on two cores")
        note(figure, "lines: means over the seeds; dots: single fine-tunings")
        save(figure, target)


def main(
    data: Annotated[Path, typer.Option(help="Folder of ChnSentiCorp's files.")] = SHARED / "data" / "chnsenticorp",
    corpus: Annotated[Path, typer.Option(help="Folder of *.txt.xz, a paragraph a line.")] = SHARED / "corpus",
    minutes: Annotated[float, typer.Option(help="Of pretraining on two cores.")] = 20.0,
    seeds: Annotated[int, typer.Option(help="Fine-tunings of each checkpoint.")] = 3,
    work: Annotated[Path, typer.Option(help="Where what is done is kept.")] = ROOT / "benchmarks" / "work-pretraining",
    results: Annotated[Path, typer.Option(help="Where the figures and the picture go.")] = RESULTS,
) -> None:
    """Pretrain, fine-tune, print and write the curve."""
    if not corpus.is_dir() or not data.is_dir():
        typer.echo(f"pretraining is not measured: it needs {data} and {corpus}; see --data and --corpus")
        return
    parts = split(data.resolve(), work)
    about = work / "pretraining.json"
    if not about.exists():
        write_json(about, pretrain(parts, corpus, minutes * 60 * 2, work))
    course = read_json(about)
    curve = summary(fine_tune_all(parts, work, seeds), course["tokens"])
    chosen = {"pretraining": SHAPE | PRETRAINING, "fine_tuning": FINE_TUNING | ENCODING, "rates": RATES}
    write_json(results / "pretraining.json", {**chosen, "course": course, "curve": curve, "known": YARDSTICKS})
    draw(curve, results / "pretraining.png")
    show(curve)


if __name__ == "__main__":
    typer.run(main)
