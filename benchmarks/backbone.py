"""What a pretrained backbone is worth: fine-tuned on published data sets, with all of their labels and with few.

``python -m benchmarks.backbone builtin:wenhuo-mini`` measures a checkpoint (or its folder) on ChnSentiCorp and THUCNews
titles without leaks (50, 200, 1,000 and all train rows) and on EPRSTMT's few-shot splits, each beside the
linear SVM and the same architecture from nothing, with five seeds. Learning rates and epochs are chosen on validation,
with as many validation rows as train rows where these are few. Then one fine-tuning of 3 epochs alone on two threads,
for the clock, and spot checks that a person can read. ``--only chnsenticorp --seeds 2`` is a quick look.
``benchmarks.backbone_course`` measures what tokens of pretraining are worth.

Writes ``benchmarks/results/backbone.json`` and pictures. What is done stays under ``--work`` and is not done again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.backbone_checks import spot_checks
from benchmarks.backbone_data import SIZES, tasks
from benchmarks.backbone_runs import DATA, NAMES, RESULTS, WORK, Suite, checkpoint_folder, measure, seconds
from wenhuo.checkpoints import content_hash
from wenhuo.files import read_json, write_json

WAYS = ("pretrained", "from nothing", "linear SVM")


def card_rows(found: dict[str, Any], clock: dict[str, Any] | None) -> list[tuple[str, str]]:
    """The figures as the backbone's card says them."""
    rows = []
    for name, by_rows in found.items():
        for count, entry in by_rows.items():
            what = NAMES[name] + (f", {count} train rows" if count != "all" else "")
            rows.append((f"{what}, test accuracy", "; ".join(f"{way} {_words(entry[way])}" for way in WAYS)))
    if clock:
        what = f"fine-tuning on {clock['rows']:,} rows, {clock['epochs']} epochs, {clock['threads']} threads"
        rows.append((what, f"{clock['seconds']:.0f} seconds"))
    return rows


def _words(told: dict[str, Any]) -> str:
    spread = f" ± {100 * told['spread']:.1f}" if len(told["runs"]) > 1 else ""
    return f"{100 * told['mean']:.1f}{spread}"


def show(found: dict[str, Any]) -> None:
    """Print a table."""
    table = Table("task", "train rows", *WAYS, "learning rate")
    for name, by_rows in found.items():
        for count, entry in by_rows.items():
            table.add_row(
                NAMES[name], count, *(_words(entry[way]) for way in WAYS), f"{entry['pretrained']['learning_rate']:g}"
            )
    Console(highlight=False).print(table)


def draw(found: dict[str, Any], target: Path) -> None:
    """Accuracy by number of train rows."""
    from wenhuo.metrics.drawing import head, look, new_figure, note, panels, save, style

    several = {name: by_rows for name, by_rows in found.items() if len(by_rows) > 1}
    if not several:
        return
    with style():
        figure = new_figure(4.4 * len(several), 3.8)
        for axes, (name, by_rows) in zip(panels(figure, len(several), len(several)), several.items(), strict=True):
            for place, way in enumerate(WAYS):
                means = [100 * entry[way]["mean"] for entry in by_rows.values()]
                spreads = [100 * entry[way]["spread"] for entry in by_rows.values()]
                axes.errorbar(range(len(means)), means, spreads, capsize=2, label=way, **look(place))
            axes.set(title=NAMES[name], xlabel="labelled train rows", ylabel="test accuracy, %")
            axes.set_xticks(range(len(by_rows)), list(by_rows))
            axes.legend()
        head(figure, "What a pretrained backbone is worth, by number of labels")
        note(figure, "means over the seeds; bars: standard deviations")
        save(figure, target)


def main(
    name: Annotated[str, typer.Argument(help="The backbone: its folder as it ships, or builtin:NAME.")],
    only: Annotated[list[str] | None, typer.Option(help="chnsenticorp, thucnews or eprstmt; several times.")] = None,
    seeds: Annotated[int, typer.Option(help="Fine-tunings of each.")] = 5,
    sizes: Annotated[bool, typer.Option(help="Also with 50, 200 and 1,000 rows.")] = True,
    processes: Annotated[int, typer.Option(help="Fine-tunings at once, one thread each.")] = 2,
    guesser: Annotated[Path | None, typer.Option(help="A masked language model for the spot checks.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of the published data sets.")] = DATA,
    work: Annotated[Path, typer.Option(help="Where what is done is kept.")] = WORK,
    results: Annotated[Path, typer.Option(help="Where figures and pictures go.")] = RESULTS,
) -> None:
    """Measure, print and write."""
    found_tasks = {name: splits for name, splits in tasks(data).items() if not only or name in only}
    if not found_tasks:
        typer.echo(f"no backbone is measured: it needs the data sets under {data}; see --data")
        return
    checkpoint = checkpoint_folder(name)
    suite = Suite(checkpoint, found_tasks, seeds, work, processes, SIZES if sizes else (None,))
    clock = seconds(suite, threads=2)
    found = measure(suite)
    show(found)
    reviews = [text for corpus in found_tasks.get("chnsenticorp", ()) for text, _ in corpus.parts["train"]]
    checks = spot_checks(checkpoint, guesser, reviews)
    about = {"checkpoint": checkpoint.name, "content": content_hash(checkpoint), "seeds": seeds}
    whole = {**about, "tasks": found, "clock": clock, "card": card_rows(found, clock), "checks": checks}
    partial = bool(only) or not sizes or seeds < 5
    target = results / ("backbone-partly.json" if partial else "backbone.json")
    write_json(target, whole)
    draw(found, target.with_suffix(".png"))
    Console(highlight=False).print(
        f"written: {target}", *[f"{what}: {figure}" for what, figure in read_json(target)["card"]], sep="\n"
    )


if __name__ == "__main__":
    typer.run(main)
