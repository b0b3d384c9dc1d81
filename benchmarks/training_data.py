"""Rows and checkpoints for ``benchmarks.training_speed``: real ones where there are any, else made ones."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.flipped_labels import chnsenticorp
from benchmarks.made_corpus import common_characters
from wenhuo.files import write_json
from wenhuo.text.cleaning import Cleaning
from wenhuo.text.keys import loose_key

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
BASE_VOCABULARY = 21_128  # of bert-base-chinese
MINI = {"layers": 2, "hidden": 256, "heads": 4, "dropout": 0.2, "positions": 512}  # as params.yaml ships it

Pairs = list[tuple[str, str]]
Parts = dict[str, Pairs]


@dataclass(frozen=True)
class Corpus:
    """(text, label) by split, and where they are from."""

    name: str
    origin: str
    parts: Parts

    @property
    def labels(self) -> list[str]:
        """Class names."""
        return sorted({label for _, label in self.parts["train"]})


def reviews(shared: Path = SHARED) -> Corpus:
    """ChnSentiCorp as published, 9,600 train rows; or made texts, half of them of at most 76 characters."""
    folder = shared / "chnsenticorp"
    if (folder / "train.tsv").exists():
        return Corpus("reviews", "ChnSentiCorp", chnsenticorp(folder))
    return Corpus("reviews", "made texts", made((9600, 1200, 1200), 2, 76, 0.71))


def titles(shared: Path = SHARED) -> Corpus:
    """33,590 titles of THUCNews; or made texts of 19 characters on average."""
    folder = shared / "thucnews_titles"
    if not (folder / "train.txt").exists():
        return Corpus("titles", "made texts", made((33_590, 10_000, 10_000), 10, 19, 0.21))
    names = (folder / "class.txt").read_text(encoding="utf-8").split()
    parts = {}
    for name, split in (("train", "train"), ("dev", "validation"), ("test", "test")):
        lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        parts[split] = [(text, names[int(label)]) for text, label in (line.split("\t") for line in lines if line)]
    return Corpus("titles", "THUCNews titles", parts)


def made(sizes: tuple[int, int, int], classes: int, median: int, spread: float) -> Parts:
    """Texts of log-normal lengths whose label shows in every eighth character, on average."""
    draw = random.Random(13)
    characters = common_characters()
    telling = [characters[i * 40 : (i + 1) * 40] for i in range(classes)]
    parts: Parts = {}
    for split, size in zip(("train", "validation", "test"), sizes, strict=True):
        parts[split] = []
        for number in range(size):
            label = number % classes
            length = max(4, min(2000, round(draw.lognormvariate(0, spread) * median)))
            text = [draw.choice(telling[label] if draw.random() < 1 / 8 else characters) for _ in range(length)]
            parts[split].append(("".join(text), f"class {label}"))
    return parts


def leak_free(corpus: Corpus, most: dict[str, int]) -> Corpus:
    """Train without copies and without what stands in validation or test; at most so many rows of each split."""
    held = {loose_key(text) for split in ("validation", "test") for text, _ in corpus.parts[split]}
    once = {loose_key(text): (text, label) for text, label in reversed(corpus.parts["train"])}
    parts = corpus.parts | {"train": [row for key, row in once.items() if key not in held]}
    return replace(corpus, parts={split: shuffled(rows)[: most[split]] for split, rows in parts.items()})


def shuffled(rows: Pairs) -> Pairs:
    """The rows in an order that is always the same."""
    return random.Random(13).sample(rows, len(rows))


def write_parts(corpus: Corpus, folder: Path) -> Path:
    """The rows as the stage `split` leaves them, which both sides read."""
    folder.mkdir(parents=True)
    for split, rows in corpus.parts.items():
        ids = [f"{split}-{i:06d}" for i in range(len(rows))]
        pl.DataFrame({"id": ids, "text": [t for t, _ in rows], "label": [x for _, x in rows]}).write_parquet(
            folder / f"{split}.parquet"
        )
    sizes = {split: len(rows) for split, rows in corpus.parts.items()}
    about = {"labels": corpus.labels, "cleaning": Cleaning().model_dump(), "source": corpus.origin, "rows": sizes}
    write_json(folder / "dataset.json", about | {"synthetic": corpus.origin == "made texts", "hash": {}})
    return folder


def write_checkpoint(shape: str, corpus: Corpus, folder: Path, **smaller: Any) -> Path:
    """A backbone with random weights and a tokenizer: BERT-base's size, or that of the shipped candidate ``mini``.

    Args:
        shape: ``base`` or ``mini``.
        corpus: whose train rows' characters are the vocabulary.
        folder: where.
        smaller: another shape for ``base``, for tests.
    """
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    from wenhuo.encoding.tokens import character_vocabulary
    from wenhuo.models.backbones import scratch_backbone

    size = BASE_VOCABULARY if shape == "base" else 8000
    entries = character_vocabulary((text for text, _ in corpus.parts["train"]), size)
    if shape == "base":
        entries += [f"[unused{i}]" for i in range(size - len(entries))]
    torch.manual_seed(13)
    if shape == "base":
        backbone = BertModel(BertConfig(vocab_size=len(entries), **smaller))
    else:
        backbone = scratch_backbone(vocabulary=len(entries), **MINI)
    backbone.save_pretrained(folder)
    BertTokenizer(vocab={entry: i for i, entry in enumerate(entries)}).save_pretrained(folder)
    return folder
