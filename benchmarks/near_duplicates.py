"""Near-duplicates: what is found of planted copies, and how long it takes, beside datasketch's MinHashLSH.

``python -m benchmarks.near_duplicates`` plants 5,000 near-copies, and as many look-alikes that share two thirds with
another text and are no copies, among 100,000 made texts; and one of each for every twenty texts of ``--corpus`` (a
text file, one text a line; else the ChnSentiCorp reviews of ``../shared/data``, where they are). It prints tables and
writes ``results/near_duplicates.json`` and ``.png``.

A pair counts as found when both rows are in one cluster (wenhuo), or when one is among the candidates of the other
(datasketch, which sees the same folded texts, the same n-grams, threshold and number of hashes). Every found pair that
was not planted as a copy counts as wrong, whatever its similarity. Real texts with a natural near-duplicate (by
comparing every text with every other) are left out first, and counted.

Each contestant is a process of its own with one thread. Seconds are those of the search alone, folding included;
memory is the process's peak beyond what it held before.
"""

from __future__ import annotations

import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.planted_copies import Copy, Pairs, agreement, made_texts, pairs_of, plant, recalls
from wenhuo.files import write_json
from wenhuo.near.options import NearDuplicates

RESULTS = Path(__file__).parent / "results"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "chnsenticorp"
OPTIONS = NearDuplicates()
CHUNK = 20_000
FEW = 10
MIB = 2**20


def by_wenhuo(texts: list[str]) -> Pairs:
    """Pairs of rows in one cluster."""
    from wenhuo.near.search import find

    with tempfile.TemporaryDirectory() as scratch:
        chunks = (pl.Series(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK))
        return pairs_of(find(chunks, OPTIONS, Path(scratch)).cluster.tolist())


def by_datasketch(texts: list[str]) -> Pairs:
    """Pairs of candidates, unverified, as the library's own examples use them."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=OPTIONS.threshold, num_perm=OPTIONS.permutations)
    pairs: Pairs = set()
    for number, grams in enumerate(_grams(texts)):
        sketch = MinHash(OPTIONS.permutations, seed=OPTIONS.seed)
        sketch.update_batch([gram.encode() for gram in grams])
        pairs.update((int(other), number) for other in index.query(sketch))
        index.insert(number, sketch)
    return pairs


def by_datasketch_verified(texts: list[str]) -> Pairs:
    """The same, of which those pairs stay whose Jaccard similarity reaches the threshold."""
    found = by_datasketch(texts)
    needed = sorted({row for pair in found for row in pair})
    grams = dict(zip(needed, _grams([texts[row] for row in needed]), strict=True))
    return {
        (left, right)
        for left, right in found
        if len(grams[left] & grams[right]) >= (OPTIONS.threshold or 0) * len(grams[left] | grams[right])
    }


def _grams(texts: list[str]) -> list[set[str]]:
    """The character n-grams of folded texts, as Python's sets."""
    from wenhuo.near.folding import fold

    folded, n = fold(pl.Series(texts, dtype=pl.String)), OPTIONS.characters
    joined = folded.codes.astype("<u4").tobytes().decode("utf-32-le")
    bounds = folded.offsets.tolist()
    pieces = [joined[start:end] for start, end in pairwise(bounds)]
    lengths = range(1, n + 1)
    return [{text[at : at + long] for long in lengths for at in range(len(text) - long + 1)} for text in pieces]


CONTESTANTS: dict[str, Callable[[list[str]], Pairs]] = {
    "wenhuo": by_wenhuo,
    "datasketch": by_datasketch,
    "datasketch, verified": by_datasketch_verified,
}


def _contest(name: str, texts: list[str]) -> tuple[Pairs, float, float]:
    """Run in a child: the pairs, the seconds, the MiB beyond those held before."""
    CONTESTANTS[name](texts[:200])  # imports and tables, which cost the same for any number of texts
    before, started = _peak(), time.perf_counter()
    found = CONTESTANTS[name](texts)
    return found, time.perf_counter() - started, _peak() - before


def _peak() -> float:
    """The largest resident set so far, in MiB."""
    status = Path("/proc/self/status")  # Linux hands ru_maxrss down from the parent
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024 / MIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def measure(texts: list[str], copies: list[Copy]) -> dict[str, Any]:
    """All contestants on the same rows, one after the other."""
    results: dict[str, Any] = {}
    for name in CONTESTANTS:
        with get_context("spawn").Pool(1) as child:
            found, seconds, mib = child.apply(_contest, (name, texts))
        results[name] = agreement(found, copies) | {"seconds": round(seconds, 2), "mib": round(mib)}
        results[name] |= {"rows_per_second": round(len(texts) / seconds), "recalls": recalls(found, copies)}
    return {"rows": len(texts), "planted": len(copies), "contestants": results}


def without_natural_pairs(texts: list[str]) -> tuple[list[str], int]:
    """The texts without those that are near another one by themselves, and how many these are; all are compared."""
    from wenhuo.near.folding import fold
    from wenhuo.near.shingles import sets

    rows = sets(fold(pl.Series(texts)), OPTIONS.characters)
    sizes, near = np.diff(rows.indptr), np.zeros(len(texts), bool)
    rows.indices = np.unique(rows.indices, return_inverse=True)[1]
    rows = type(rows)(
        (rows.data.astype(np.int32), rows.indices, rows.indptr), shape=(len(texts), rows.indices.max() + 1)
    )
    other = rows.T.tocsr()
    for start in range(0, len(texts), 500):
        common = (rows[start : start + 500] @ other).tocoo()
        left, right = common.row + start, common.col
        alike = common.data >= (OPTIONS.threshold or 1) * (sizes[left] + sizes[right] - common.data) - 1e-9
        near[left[alike & (left != right)]] = True
    return [text for text, drop in zip(texts, near, strict=True) if not drop], int(near.sum())


def _real(corpus: Path | None) -> list[str] | None:
    """Different real texts of some letters, if there are any."""
    if corpus is not None:
        lines = corpus.read_text(encoding="utf-8").splitlines()
    elif SHARED.is_dir():
        files = [
            (SHARED / f"{name}.tsv").read_text(encoding="utf-8", errors="replace") for name in ("train", "dev", "test")
        ]
        lines = [line.split("\t", 1)[1] for file in files for line in file.split("\n")[1:] if "\t" in line]
    else:
        return None
    return [line for line in dict.fromkeys(lines) if sum(char.isalnum() for char in line) >= 5]


def _table(title: str, measured: dict[str, Any]) -> Table:
    table = Table(title=f"{title}: {measured['planted']:,} copies planted, {measured['rows']:,} rows")
    for column in ("", "recall", "precision", "wrong pairs", "seconds", "× wenhuo", "MiB"):
        table.add_column(column, justify="right" if column else "left")
    first = measured["contestants"]["wenhuo"]["seconds"]
    for name, result in measured["contestants"].items():
        figures = (f"{result['recall']:.4f}", f"{result['precision']:.4f}", f"{result['wrong']:,}")
        times = (f"{result['seconds']:.1f}", f"{result['seconds'] / first:.1f}", f"{result['mib']:,}")
        table.add_row(name, *figures, *times)
    return table


def _recall_table(measured: dict[str, Any]) -> Table:
    table = Table(title="recall")
    for column in ("", "copies", *CONTESTANTS):
        table.add_column(column, justify="right" if column else "left")
    groups = {name: result["recalls"] for name, result in measured["contestants"].items()}
    for group in ("edits", "kind", "length"):
        keys = groups["wenhuo"][group]
        for key, (count, _) in keys.items():
            table.add_row(
                f"{group} {key}", f"{count:,}", *(f"{groups[name][group][key][1]:.3f}" for name in CONTESTANTS)
            )
    return table


def _draw(measured: dict[str, Any], target: Path) -> None:
    """Recall by length, a line for each number of edits; points of fewer than ten copies are left out."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    panels = figure.subplots(1, len(measured), sharey=True, squeeze=False)[0]
    for axes, (title, result) in zip(panels, measured.items(), strict=True):
        cells = result["contestants"]["wenhuo"]["recalls"]["length and edits"]
        lengths = list(dict.fromkeys(key.split(": ")[0] for key in cells))
        for edits in "01234":
            found = [cells.get(f"{length}: {edits}", (0, 0)) for length in lengths]
            recall = [share if count >= FEW else np.nan for count, share in found]
            axes.plot(lengths, recall, marker="o", label=edits)
        axes.set(title=title, xlabel="letters of the text", ylim=(0, 1.03))
    panels[0].set_ylabel("recall of planted copies")
    panels[-1].legend(title="edited characters", loc="lower right")
    figure.savefig(target, dpi=120, metadata={"Software": None})


def main(
    texts: Annotated[int, typer.Option(help="Made texts.")] = 100_000,
    copies: Annotated[int, typer.Option(help="Near-copies planted among them.")] = 5_000,
    corpus: Annotated[Path | None, typer.Option(help="Real texts, one a line.")] = None,
    write: Annotated[bool, typer.Option(help="Whether to write the results.")] = True,
) -> None:
    """Plant near-copies and look for them."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1")
    measured = {"made texts": measure(*plant(made_texts(texts), copies))}
    if real := _real(corpus):
        kept, natural = without_natural_pairs(real)
        measured["real texts"] = measure(*plant(kept, len(kept) // 20)) | {"left_out": natural}
    for title, result in measured.items():
        Console().print(_table(title, result), _recall_table(result))
    if write:
        RESULTS.mkdir(exist_ok=True)
        names = ("rensa", "datasketch", "numpy", "scipy", "polars", "opencc")
        about = {"cpus": os.cpu_count(), "python": platform.python_version()} | {name: version(name) for name in names}
        write_json(RESULTS / "near_duplicates.json", {"options": OPTIONS.model_dump(), "about": about} | measured)
        _draw(measured, RESULTS / "near_duplicates.png")


if __name__ == "__main__":
    typer.run(main)
