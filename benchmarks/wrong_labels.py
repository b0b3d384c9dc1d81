"""How well planted wrong labels are found, and what leaving them out is worth.

``python -m benchmarks.wrong_labels`` flips a tenth of the labels of 7,500 leak-free ChnSentiCorp training rows, five
times with other seeds, looks for them, and trains the linear SVM on what is left. Without that data set (``--data``) it
takes the built-in sample, which is synthetic and far easier. The other ways are

naive       probabilities of the same model for the rows it was trained on, which is how it is often done
cleanlab    ``CleanLearning().find_label_issues`` as it comes (logistic regression, five folds), on the same n-grams
random      any row is as good as any other

The peers see the same rows, flips and n-gram weights. Writes ``benchmarks/results/wrong_labels.json`` and a picture.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.flipped_labels import Data, Integers, chnsenticorp, flip, prepare, sample
from wenhuo.audit.features import weigh
from wenhuo.audit.options import Auditing
from wenhuo.audit.probabilities import unseen
from wenhuo.audit.published import classify
from wenhuo.audit.suspects import find_suspects
from wenhuo.files import write_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CHNSENTICORP = ROOT.parent / "shared" / "data" / "chnsenticorp"
STRENGTHS = (0.5, 1.0, 2.0, 4.0, 8.0)


Ranking = tuple[Integers, Integers]
"""Places of all rows, the most suspect first; and, where a way suggests labels, the rows that it flags."""


def ours(data: Data, given: Integers, _: int) -> tuple[Ranking, Integers]:
    """What the stage `audit` does; also the label it suggests for each row. Rows that it does not list come last."""
    table = pl.DataFrame({"id": data.ids, "text": data.texts, "label": [str(label) for label in given]})
    found = find_suspects({"train": table}, Auditing(extra=len(given))).rows
    place = {row: number for number, row in enumerate(data.ids)}
    listed = np.array([place[row] for row in found["id"]])
    rest = np.setdiff1d(np.arange(len(given)), listed)
    suggested = given.copy()
    suggested[listed] = found["suggested"].cast(pl.Int64).to_numpy()
    return (np.concatenate([listed, rest]), listed[found["flagged"].to_numpy()]), suggested


def naive(data: Data, given: Integers, _: int) -> Ranking:
    """Probabilities for rows that the model was trained on."""
    found = unseen(data.counts, given.astype(np.int32), data.counts, int(given.max()) + 1)
    return _ranked(found[np.arange(len(given)), given]), np.flatnonzero(found.argmax(axis=1) != given)


def cleanlab(data: Data, given: Integers, seed: int) -> Ranking:
    """What cleanlab does by default."""
    from cleanlab.classification import CleanLearning

    learning = CleanLearning(seed=seed, find_label_issues_kwargs={"n_jobs": 1})
    issues = learning.find_label_issues(weigh(data.counts).of(data.counts), given)
    return _ranked(issues["label_quality"].to_numpy()), np.flatnonzero(issues["is_label_issue"])


def at_random(data: Data, given: Integers, seed: int) -> Ranking:
    """Any row."""
    return np.random.default_rng(seed + 1000).permutation(len(given)), np.zeros(0, np.int64)


PEERS: dict[str, Callable[[Data, Integers, int], Ranking]] = {
    "wenhuo": lambda *given: ours(*given)[0],
    "cleanlab": cleanlab,
    "naive": naive,
    "random": at_random,
}


def _ranked(scores: npt.NDArray[Any]) -> Integers:
    return np.argsort(scores, kind="stable")


def detection(data: Data, share: float, seeds: int) -> dict[str, Any]:
    """Each way's precision (which is its recall) at the number of flips, its flagged rows, its curve, its seconds."""
    found: dict[str, Any] = {}
    for name, way in PEERS.items():
        at_cut, flagged, curves, seconds = [], [], [], []
        for seed in range(seeds):
            given = flip(data.classes, share, seed)
            wrong = given != data.classes
            started = time.perf_counter()
            order, marked = way(data, given, seed)
            seconds.append(time.perf_counter() - started)
            hits = np.cumsum(wrong[order])
            at_cut.append(hits[wrong.sum() - 1] / wrong.sum())
            flagged.append(
                (len(marked), float(wrong[marked].mean()) if len(marked) else 0.0, wrong[marked].sum() / wrong.sum())
            )
            curves.append((hits / np.arange(1, len(hits) + 1), hits / wrong.sum()))
        rows, precision, recall = (np.mean(column) for column in zip(*flagged, strict=True))
        found[name] = {
            "at_number_of_flips": [round(float(value), 4) for value in at_cut],
            "flagged": {"rows": round(float(rows)), "precision": round(precision, 4), "recall": round(recall, 4)},
            "seconds": round(float(np.median(seconds)), 1),
            "curve": tuple(np.mean(part, axis=0) for part in zip(*curves, strict=True)),
        }
    return found


def recovery(data: Data, share: float, seeds: int) -> dict[str, Any]:
    """Test accuracy of the linear SVM by C: on the true labels, the flipped ones, without suspects, relabelled."""
    chosen = max(STRENGTHS, key=lambda strength: _accuracy(data, "validation", data.classes, None, strength))
    clean = {strength: _accuracy(data, "test", data.classes, None, strength) for strength in STRENGTHS}
    kinds = ("flipped", "dropped", "relabelled", "without_flips")
    drawn: dict[str, dict[float, list[float]]] = {kind: {strength: [] for strength in STRENGTHS} for kind in kinds}
    for seed in range(seeds):
        given = flip(data.classes, share, seed)
        (_, flagged), suggested = ours(data, given, seed)
        kept = np.setdiff1d(np.arange(len(given)), flagged)
        mended = given.copy()
        mended[flagged] = suggested[flagged]
        trained = {"flipped": (given, None), "dropped": (given, kept), "relabelled": (mended, None)}
        trained["without_flips"] = (given, np.flatnonzero(given == data.classes))
        for strength in STRENGTHS:
            for kind, (labels, rows) in trained.items():
                drawn[kind][strength].append(_accuracy(data, "test", labels, rows, strength))
    return {"chosen_on_validation": chosen, "by_c": {str(c): _won_back(clean[c], drawn, c) for c in STRENGTHS}}


def _accuracy(data: Data, part: str, labels: Integers, rows: Integers | None, strength: float) -> float:
    rows = np.arange(len(labels)) if rows is None else rows
    counts, truth = data.parts[part]
    return float((classify(data.counts[rows], labels[rows], counts, strength) == truth).mean())


def _won_back(clean: float, drawn: dict[str, dict[float, list[float]]], strength: float) -> dict[str, Any]:
    mean = {kind: float(np.mean(values[strength])) for kind, values in drawn.items()}
    cost = clean - mean["flipped"]
    return {
        "clean": round(clean, 4),
        **{
            kind: {"mean": round(mean[kind], 4), "spread": round(float(np.std(drawn[kind][strength])), 4)}
            for kind in mean
        },
        "won_back": {kind: round((mean[kind] - mean["flipped"]) / cost, 3) for kind in mean if kind != "flipped"},
    }


def draw(found: dict[str, Any], target: Path, title: str) -> None:
    """Precision against recall as the cut-off moves down each ranking."""
    from wenhuo.metrics.drawing import head, look, new_figure, note, save, style

    with style():
        figure = new_figure(6.4, 4.6)
        axes = figure.add_subplot()
        for place, (name, result) in enumerate(found.items()):
            precision, recall = result["curve"]
            mean = float(np.mean(result["at_number_of_flips"]))
            axes.plot(recall[20:], precision[20:], label=f"{name}  {mean:.3f}", **look(place))
            axes.plot([mean], [mean], "o", color=look(place)["color"], markersize=5)
        axes.set(xlabel="recall: share of the flips found", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02))
        axes.legend(title="at the number of flips", alignment="left")
        head(figure, title)
        note(figure, "means over the seeds; dots: as many rows taken as there are flips")
        save(figure, target)


def show(data: Data, found: dict[str, Any], won: dict[str, Any]) -> None:
    """Print what was measured."""
    console = Console(highlight=False)
    table = Table("way", "precision = recall at the number of flips", "flagged", "of them flips", "s", title=data.name)
    for name, result in found.items():
        cut, marked = result["at_number_of_flips"], result["flagged"]
        spread = f"{np.mean(cut):.3f} ({min(cut):.3f}-{max(cut):.3f})"
        table.add_row(name, spread, f"{marked['rows']:,}", f"{marked['precision']:.3f}", f"{result['seconds']:.1f}")
    console.print(table)
    table = Table("C", "true labels", "flipped", "flagged dropped", "relabelled", "won back: dropped", "relabelled")
    for strength, row in won["by_c"].items():
        mark = " (validation's choice)" if float(strength) == won["chosen_on_validation"] else ""
        means = [f"{row[kind]['mean']:.4f} ±{row[kind]['spread']:.4f}" for kind in ("flipped", "dropped", "relabelled")]
        back = [f"{row['won_back'][kind]:.0%}" for kind in ("dropped", "relabelled")]
        table.add_row(f"{strength}{mark}", f"{row['clean']:.4f}", *means, *back)
    console.print(table)


def main(
    data: Annotated[
        Path, typer.Option(help="The folder of ChnSentiCorp's train.tsv, dev.tsv, test.tsv.")
    ] = CHNSENTICORP,
    share: Annotated[float, typer.Option(help="Share of the labels that are flipped.")] = 0.1,
    seeds: Annotated[int, typer.Option(help="How many times.")] = 5,
    results: Annotated[Path, typer.Option(help="Where the figures and the picture go.")] = RESULTS,
) -> None:
    """Flip labels, look for them, train without them."""
    present = (data / "train.tsv").exists()
    made = prepare("ChnSentiCorp", chnsenticorp(data)) if present else prepare("sample (synthetic)", sample())
    Console().print(f"{made.name}: {len(made.texts):,} leak-free train rows, {share:.0%} flipped, {seeds} seeds")
    found, won = detection(made, share, seeds), recovery(made, share, seeds)
    draw(found, results / "wrong_labels.png", f"Planted wrong labels, {made.name}, {len(made.texts):,} rows")
    about = {"data": made.name, "rows": len(made.texts), "flipped": share, "seeds": seeds, "test_hash": made.test_hash}
    detected = {name: {key: value for key, value in way.items() if key != "curve"} for name, way in found.items()}
    write_json(results / "wrong_labels.json", about | {"detection": detected, "recovery": won})
    show(made, found, won)


if __name__ == "__main__":
    typer.run(main)
