"""What ``benchmarks.training_speed`` makes of its figures: a file, a table on a page, and what the machine can do."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.training_orders import Order
from wenhuo.files import read_json, write_json

HERE = Path(__file__).parent
BEGIN, END = "<!-- training_speed: begin -->", "<!-- training_speed: end -->"
COLUMNS = (
    "shape, data",
    "recipe, samples/s",
    "ours",
    "ratio",
    "by CPU time",
    "recipe, peak GiB",
    "ours",
    "first step, s",
    "ours",
)


def about_machine() -> dict[str, Any]:
    """What it was measured on, without any name that points to one machine."""
    import torch

    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpus": os.cpu_count(),
        "cpu": f"{torch.backends.cpu.get_cpu_capability()}, {'AMX' if amx else 'no AMX'}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": version("transformers"),
    }


def matrix_rate(dtype: str, seconds: float = 2.0) -> float:
    """Measured Tflop/s of matrix products of a type (as ``torch.float32``) on the best device, the best of some."""
    import torch

    cuda = torch.cuda.is_available()
    side = 8192 if cuda else 2048
    kind, device = getattr(torch, dtype.removeprefix("torch.")), "cuda" if cuda else "cpu"
    one, two = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        for _ in range(10 if cuda else 1):
            one @ two
        if cuda:
            torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - started) / (10 if cuda else 1))
    return 2 * side**3 / best / 1e12


def operations(order: Order) -> float:
    """Floating-point operations of training one full row: 6 a weight of the layers and token, and those of attention.

    The way back costs twice the way there (Kaplan et al. 2020, appendix B; attention by Chowdhery et al. 2022).
    """
    config = read_json(Path(order.checkpoint) / "config.json")
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    weights = layers * (4 * hidden**2 + 2 * hidden * config["intermediate_size"])
    return float(order.tokens * (6 * weights + 12 * layers * hidden * order.tokens))


def keep(found: dict[str, Any], folder: Path = HERE) -> dict[str, Any]:
    """Put new figures in the place of old ones in ``results/training_speed.json`` and in ``README.md``; return all."""
    path = folder / "results" / "training_speed.json"
    known = read_json(path)["measured"] if path.exists() else {}
    known |= {name: figures | {"about": about_machine()} for name, figures in found.items()}
    known = dict(sorted(known.items()))
    write_json(path, {"measured": known})
    page = folder / "README.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{markdown(known)}\n{END}{after}", encoding="utf-8")
    return known


def markdown(known: dict[str, Any]) -> str:
    """The figures as a page's tables."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- " * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in step_rows(known)]
    lines += ["", *(f"- {sentence}" for sentence in sentences(known))]
    return "\n".join(lines)


def step_rows(known: dict[str, Any]) -> list[list[str]]:
    """A row of cells for each pair of trainings."""
    rows = []
    for name, figures in known.items():
        if name.startswith("steps "):
            recipe, ours, ratios = figures["recipe"], figures["ours"], figures["ratios"]
            rates = (span(side["samples_per_second"]) for side in (recipe, ours))
            memory = (f"{max(side['peak_gib']):.2f}" for side in (recipe, ours))
            first = (span(side["first_step_seconds"]) for side in (recipe, ours))
            rows.append(
                [
                    name.removeprefix("steps "),
                    *rates,
                    f"**{span(ratios)}**",
                    span(figures["cpu_ratios"]),
                    *memory,
                    *first,
                ]
            )
    return rows


def span(values: list[float]) -> str:
    """The mean, and from where to where."""
    return f"{sum(values) / len(values):.3g} ({min(values):.3g}–{max(values):.3g})"


def sentences(known: dict[str, Any]) -> list[str]:
    """The other figures, and what all were measured on."""
    said = []
    for name, figures in known.items():
        if name.startswith("whole "):
            sides = ", ".join(
                f"{side} {figures[side]['seconds']:.0f} s, test accuracy {figures[side]['accuracy']:.3f}"
                for side in ("recipe", "ours")
            )
            rows = f"{figures['rows']:,} leak-free rows of {figures['origin']}, {figures['epochs']} epochs"
            said.append(f"Whole fine-tuning, {name.removeprefix('whole ')} ({rows}): {sides}.")
        if name.startswith("head "):
            first, later = figures["first"], figures["later"]
            said.append(
                f"Head alone on {figures['rows']} rows, {name.removeprefix('head ')}: first epoch {first:.1f} s, "
                f"features included, each later one {later:.2f} s, {figures['times']:.0f} times faster."
            )
        if name.startswith("rate "):
            said.append(
                f"Full rows of 128 tokens, {figures['batch_size']} a step, {name.removeprefix('rate ')}: "
                f"{figures['step_tflops']} Tflop/s in {figures['dtype'].removeprefix('torch.')}, "
                f"{figures['share']:.0%} of the measured rate of matrix products ({figures['matrix_tflops']})."
            )
    machines = sorted({machine(figures["about"]) for figures in known.values()})
    return [*said, *(f"Measured {words}." for words in machines)]


def machine(about: dict[str, Any]) -> str:
    """The date and the hardware in a few words."""
    device = about["gpu"] or f"{about['cpus']} cores, {about['cpu']}"
    return f"{about['date']} on {device}, torch {about['torch']}, transformers {about['transformers']}"


def show(known: dict[str, Any]) -> None:
    """Print the figures."""
    console = Console(highlight=False, width=max(160, Console().width))  # the table is wide, and a log has 80 columns
    table = Table(*COLUMNS, title="fine-tuning beside the tutorials' recipe")
    for row in step_rows(known):
        table.add_row(*(cell.replace("*", "") for cell in row))
    console.print(table)
    for sentence in sentences({name: {"about": about_machine()} | figures for name, figures in known.items()}):
        console.print(sentence)
