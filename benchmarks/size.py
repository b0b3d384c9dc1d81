"""How time and memory grow with the corpus: ingest, validate, clean and split, beside a pandas script.

Each stage is a process of its own, started as the graph starts it.

``python -m benchmarks.size`` measures 100 thousand, 1 million and 5 million made rows, with near-duplicates and
without; ``--rows 100000`` only some. What the same stages take for 1,000 rows is their start-up (five processes that
import their libraries, Great Expectations' 3 s among them); the time beyond it is what grows with the rows. Memory is
the largest sum, over all processes of a stage, of their proportional set sizes (shared pages counted once), sampled ten
times a second.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.made_corpus import write_corpus

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
STAGES = ("source", "ingest", "validate", "clean", "split")
STARTUP_ROWS = 1000
GIB = 2**30


@dataclass(frozen=True)
class Measured:
    """One process with its children."""

    seconds: float
    cpu_seconds: float
    peak_gib: float


def measure(command: list[str], folder: Path) -> Measured:
    """Run a command to its end in a folder.

    Raises:
        SystemExit: it failed; what it said is shown.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    before = os.times()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            time.sleep(0.1)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{shlex.join(command)} failed:\n{said.read().decode()[-2000:]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(round(time.perf_counter() - started, 2), round(cpu, 2), round(peak / GIB, 3))


def _memory(pid: int) -> int:
    """Bytes that a process and its children hold, shared pages counted once."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss if sys.platform == "linux" else process.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        return total
    return total


def stage_command(stage: str) -> list[str]:
    """The stage's command as dvc.yaml gives it, by this Python."""
    graph = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return [sys.executable, *shlex.split(graph[stage]["cmd"])[1:]]


def make_project(folder: Path, corpus: Path, *, near: bool) -> None:
    """A folder in which the stages can run on the made corpus."""
    yaml = YAML()
    parameters = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    parameters["ingest"]["source"] = str(corpus)
    if not near:
        parameters["clean"]["near_duplicates"]["threshold"] = None
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(parameters, file)
    (folder / "data").mkdir()
    shutil.copy(ROOT / "data" / "corrections.csv", folder / "data")
    shutil.copy(ROOT / "expectations.yaml", folder)


def run_stages(corpus: Path, *, near: bool) -> dict[str, Measured]:
    """Each stage's time and memory."""
    with tempfile.TemporaryDirectory(dir=corpus.parent) as folder:
        make_project(Path(folder), corpus, near=near)
        return {stage: measure(stage_command(stage), Path(folder)) for stage in STAGES}


def run_peer(corpus: Path) -> Measured:
    """The script that a tutorial would have one write, see ``benchmarks/peers/pandas_recipe.py``."""
    with tempfile.TemporaryDirectory(dir=corpus.parent) as folder:
        return measure([sys.executable, "-m", "benchmarks.peers.pandas_recipe", str(corpus)], Path(folder))


def measure_startup(folder: Path) -> float:
    """Seconds that the stages take for next to no rows, the median of three runs."""
    corpus = folder / "made-startup.csv"
    write_corpus(corpus, STARTUP_ROWS)
    return median(sum(stage.seconds for stage in run_stages(corpus, near=False).values()) for _ in range(3))


def measure_size(rows: int, folder: Path, startup: float) -> dict[str, Any]:
    """All that is measured for one size; ``startup`` is in seconds."""
    corpus = folder / f"made-{rows}.csv"
    planted = write_corpus(corpus, rows)
    ours = {name: run_stages(corpus, near=near) for name, near in (("plain", False), ("near", True))}
    peer = run_peer(corpus)
    size = corpus.stat().st_size
    corpus.unlink()
    return {
        "rows": rows,
        "megabytes": round(size / 1e6, 1),
        "planted": planted,
        "startup_seconds": round(startup, 2),
        **{name: _summary(rows, stages, startup) for name, stages in ours.items()},
        "pandas": asdict(peer) | {"rows_per_second": round(rows / peer.seconds)},
    }


def _summary(rows: int, stages: dict[str, Measured], startup: float) -> dict[str, Any]:
    seconds = sum(stage.seconds for stage in stages.values())
    return {
        "seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "rows_per_second_beyond_startup": round(rows / (seconds - startup)),
        "peak_gib": max(stage.peak_gib for stage in stages.values()),
        "stages": {name: asdict(stage) for name, stage in stages.items()},
    }


def show(results: list[dict[str, Any]]) -> None:
    """A table of all sizes; growth is the time a row beyond start-up beside the first size's, 1 = linear."""
    table = Table(title=f"ingest + validate + clean + split; start-up {results[0]['startup_seconds']:.1f} s")
    for name in ("rows", "what", "seconds", "rows/s", "beyond start-up", "peak GiB", "growth", "beside pandas"):
        table.add_column(name, justify="left" if name == "what" else "right", min_width=9 if name == "rows" else None)
    for result in results:
        for what in ("plain", "near", "pandas"):
            table.add_row(f"{result['rows']:,}", what, *_cells(what, result, results[0]))
    Console().print(table)


def _cells(what: str, result: dict[str, Any], first: dict[str, Any]) -> list[str]:
    one, beyond = result[what], result[what].get("rows_per_second_beyond_startup", result[what]["rows_per_second"])
    before = first[what].get("rows_per_second_beyond_startup", first[what]["rows_per_second"])
    ratio = f"{one['seconds'] / result['pandas']['seconds']:.2f}×"
    rates = f"{one['rows_per_second']:,}", f"{beyond:,}"
    return [f"{one['seconds']:.1f}", *rates, f"{one['peak_gib']:.2f}", f"{before / beyond:.2f}", ratio]


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Seconds and memory against rows."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    rows = [result["rows"] for result in results]
    names = {"plain": "without near-duplicates", "near": "with near-duplicates", "pandas": "pandas script"}
    for what, name in names.items():
        axes[0].plot(rows, [result[what]["seconds"] for result in results], "o-", label=name)
        axes[1].plot(rows, [result[what]["peak_gib"] for result in results], "o-", label=name)
    axes[1].axhline(4, color="grey", linestyle=":", label="4 GiB")
    for axis, title in zip(axes, ("seconds", "peak memory, GiB"), strict=True):
        axis.set(xlabel="million rows", title=title, xlim=(0, None), ylim=(0, None))
        axis.set_xticks(rows, [f"{count / 1e6:g}" for count in rows])
        axis.grid(alpha=0.3)
    axes[1].legend(fontsize=8)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def main(
    rows: Annotated[list[int] | None, typer.Option(help="Sizes to measure; give it several times.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where corpora are made; by default the temporary folder.")
    ] = None,
    write: Annotated[bool, typer.Option(help="Write the results into benchmarks/results.")] = True,
) -> None:
    """Measure ingest, validate, clean and split on made corpora, beside a pandas script."""
    results = []
    with tempfile.TemporaryDirectory(dir=folder) as made:
        startup = measure_startup(Path(made))
        for count in rows or (100_000, 1_000_000, 5_000_000):
            results.append(measure_size(count, Path(made), startup))
            show(results)
    if write:
        about = {"cpus": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
        (RESULTS / "size.json").write_text(json.dumps({"about": about, "sizes": results}, indent=2) + "\n")
        draw(results, RESULTS / "size.png")


if __name__ == "__main__":
    typer.run(main)
