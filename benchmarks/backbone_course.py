"""What tokens of pretraining are worth: the networks on the way to a backbone, each fine-tuned on the same rows.

``python -m benchmarks.backbone_course builtin:wenhuo-mini --kept pretraining/data/course`` fine-tunes every network
that lies there (and the same architecture from nothing, which has seen no tokens) on 1,000 rows of leak-free
ChnSentiCorp and of THUCNews titles with several seeds, which draw the rows too, and on EPRSTMT's five few-shot splits
of 32 rows with one: the same for every network. ``--rows 0`` takes all rows. The learning rates are set beforehand and
the same for all, so that nothing is chosen but the epoch, on validation.

Writes ``benchmarks/results/backbone_course.json`` and a picture. What is done stays under ``--work``
and is not done again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.backbone_data import tasks
from benchmarks.backbone_runs import DATA, NAMES, RESULTS, WORK, Suite, checkpoint_folder, measure
from wenhuo.checkpoints import RECORD
from wenhuo.files import read_json, write_json

RATES = {"pretrained": (0.0003,), "from nothing": (0.0005,)}
NOTHING, LINEAR, PRETRAINED = "from nothing", "linear SVM", "pretrained"


def networks(folders: list[Path], last: Path) -> list[Path]:
    """The networks under some folders and the last one, the one that has seen the least first; equal ones once."""
    kept = {path.parent for folder in folders for path in (*folder.glob("config.json"), *folder.glob("*/config.json"))}
    by_tokens = {tokens_seen(path): path for path in (*sorted(kept), last)}
    return [by_tokens[tokens] for tokens in sorted(by_tokens)]


def tokens_seen(checkpoint: Path) -> int:
    """Tokens of pretraining that a network has seen, those of the networks that it went on from among them."""
    record = read_json(checkpoint / RECORD)
    return sum(course["tokens"] for course in (*record.get("before", ()), record))


def points(checkpoints: list[Path], suite: Suite) -> list[dict[str, Any]]:
    """For no tokens and for each network: tokens, and what the fine-tunings of each data set reach."""
    begun = measured(suite, [NOTHING])
    found = [{"tokens": 0, "tasks": {name: entry[NOTHING] for name, entry in begun.items()}}]
    for checkpoint in checkpoints:
        told = measured(replace(suite, checkpoint=checkpoint), [PRETRAINED])
        found.append({"tokens": tokens_seen(checkpoint), "tasks": {name: told[name][PRETRAINED] for name in told}})
    return found


def measured(suite: Suite, starts: list[str]) -> dict[str, Any]:
    """What each task's fine-tunings reach; splits of few rows are draws enough, with one seed each."""
    found: dict[str, Any] = {}
    for name, splits in suite.tasks.items():
        seeds = suite.seeds if len(splits) == 1 else 1
        found |= _only(measure(replace(suite, tasks={name: splits}, seeds=seeds), starts))
    return found


def _only(found: dict[str, Any]) -> dict[str, Any]:
    """By task what was measured with the one number of rows that there is."""
    return {name: next(iter(by_rows.values())) for name, by_rows in found.items()}


def linear(suite: Suite) -> dict[str, float]:
    """The linear model's mean test accuracies."""
    return {name: entry[LINEAR]["mean"] for name, entry in measured(suite, []).items()}


def show(course: list[dict[str, Any]], linear_model: dict[str, float]) -> None:
    """Print a table."""
    table = Table("million tokens", *(NAMES[name] for name in linear_model))
    for point in course:
        told = (f"{100 * one['mean']:.1f} ± {100 * one['spread']:.1f}" for one in point["tasks"].values())
        table.add_row(f"{point['tokens'] / 1e6:.1f}", *told)
    table.add_row(LINEAR, *(f"{100 * mean:.1f}" for mean in linear_model.values()))
    Console(highlight=False).print(table)


def draw(course: list[dict[str, Any]], linear_model: dict[str, float], target: Path) -> None:
    """Accuracy against tokens of pretraining."""
    from wenhuo.metrics.drawing import head, look, new_figure, note, panels, save, style

    with style():
        figure = new_figure(3.6 * len(linear_model), 3.8)
        for axes, (name, mean) in zip(
            panels(figure, len(linear_model), len(linear_model)), linear_model.items(), strict=True
        ):
            told = [point["tasks"][name] for point in course]
            means, spreads = ([100 * one[key] for one in told] for key in ("mean", "spread"))
            tokens = [point["tokens"] / 1e6 for point in course]
            axes.errorbar(tokens, means, spreads, capsize=2, label="fine-tuned", **look(0))
            axes.axhline(100 * mean, label=LINEAR, **look(2))
            axes.set(title=NAMES[name], xlabel="million tokens of pretraining", ylabel="test accuracy, %")
            axes.legend()
        head(figure, "Test accuracy after fine-tuning on few rows, by tokens of pretraining")
        note(figure, "means over the seeds; bars: standard deviations")
        save(figure, target)


def main(
    name: Annotated[str, typer.Argument(help="The last network: its folder, or builtin:NAME.")],
    kept: Annotated[list[Path], typer.Option(help="A network on the way, or a folder of them; several times.")],
    rows: Annotated[int, typer.Option(help="Train rows, where they are no few-shot data; 0: all.")] = 1000,
    seeds: Annotated[int, typer.Option(help="Fine-tunings of each network and data set.")] = 5,
    only: Annotated[list[str] | None, typer.Option(help="chnsenticorp, thucnews or eprstmt; several times.")] = None,
    processes: Annotated[int, typer.Option(help="Fine-tunings at once, one thread each.")] = 2,
    data: Annotated[Path, typer.Option(help="Folder of the published data sets.")] = DATA,
    work: Annotated[Path, typer.Option(help="Where what is done is kept.")] = WORK,
    results: Annotated[Path, typer.Option(help="Where figures and picture go.")] = RESULTS,
) -> None:
    """Measure, print and write."""
    found = {task: splits for task, splits in tasks(data).items() if not only or task in only}
    if not found:
        typer.echo(f"nothing is measured: it needs the data sets under {data}; see --data")
        return
    last = checkpoint_folder(name)
    suite = Suite(last, found, seeds, work, processes, (rows or None,), RATES)
    course, linear_model = points(networks(kept, last), suite), linear(suite)
    about = {"rows": rows or "all", "seeds": seeds, "rates": RATES, "linear SVM": linear_model, "course": course}
    write_json(results / "backbone_course.json", about)
    draw(course, linear_model, results / "backbone_course.png")
    show(course, linear_model)


if __name__ == "__main__":
    typer.run(main)
