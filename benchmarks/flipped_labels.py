"""Real or made rows for ``benchmarks.wrong_labels``, and the flipping of their labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from wenhuo.audit.features import count
from wenhuo.text.keys import loose_key

ROWS = 7500
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Rows with their true classes: train without copies and leaks; validation, which chooses C; test."""

    name: str
    ids: list[str]
    texts: list[str]
    classes: Integers
    counts: csr_matrix
    parts: dict[str, tuple[csr_matrix, Integers]]
    test_hash: str


def chnsenticorp(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """The published splits: (text, label) by split."""
    parts = {}
    for name, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        with (folder / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            next(lines)
            parts[split] = [(text, label) for label, text in lines]
    return parts


def sample() -> dict[str, list[tuple[str, str]]]:
    """The built-in sample, likewise."""
    from wenhuo.reading.sample_corpus import sample_rows

    parts: dict[str, list[tuple[str, str]]] = {"train": [], "validation": [], "test": []}
    for row in sample_rows(13):
        if row.label.strip() and row.text.strip():
            parts[row.part].append((row.text, row.label.strip()))
    return parts


def prepare(name: str, parts: dict[str, list[tuple[str, str]]]) -> Data:
    """Take each text of train once and none that stands in validation or test, at most ``ROWS``, by hash."""
    held = {loose_key(text) for split in ("validation", "test") for text, _ in parts[split]}
    once = {loose_key(text): (text, label) for text, label in reversed(parts["train"])}
    rows = sorted((_id(key), *row) for key, row in once.items() if key not in held)[:ROWS]
    names = sorted({label for _, _, label in rows})
    counts = count(
        [text for _, text, _ in rows] + [text for split in ("validation", "test") for text, _ in parts[split]]
    )
    ends = np.cumsum([len(rows), len(parts["validation"]), len(parts["test"])])
    numbered = {
        split: (counts[start:end], np.array([names.index(label) for _, label in parts[split]]))
        for split, start, end in zip(("validation", "test"), ends[:-1], ends[1:], strict=True)
    }
    digest = sha256("\n".join(sorted(_id(text) for text, _ in parts["test"])).encode()).hexdigest()
    classes = np.array([names.index(label) for _, _, label in rows])
    return Data(name, [r[0] for r in rows], [r[1] for r in rows], classes, counts[: ends[0]], numbered, digest)


def _id(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def flip(classes: Integers, share: float, seed: int) -> Integers:
    """The classes with a share of them changed to another one, at random."""
    draw = np.random.default_rng(seed)
    chosen = draw.choice(len(classes), int(share * len(classes)), replace=False)
    changed = classes.copy()
    kinds = int(classes.max()) + 1
    changed[chosen] = (classes[chosen] + draw.integers(1, kinds, len(chosen))) % kinds
    return changed
