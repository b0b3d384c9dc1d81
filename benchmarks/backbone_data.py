"""Rows for ``benchmarks.backbone``: published data sets, cleaned and without leaks, and few of their rows."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path

from benchmarks.training_data import Corpus, Pairs, leak_free, reviews, titles
from wenhuo.text.cleaning import Cleaning, clean_texts

SIZES: tuple[int | None, ...] = (50, 200, 1000, None)
"""Labelled train rows; None: all."""

ALL = {"train": 10**9, "validation": 10**9, "test": 10**9}


def tasks(shared: Path) -> dict[str, list[Corpus]]:
    """What there is of ChnSentiCorp, THUCNews titles and EPRSTMT's five splits under a folder of published data."""
    found: dict[str, list[Corpus]] = {}
    if (shared / "chnsenticorp" / "train.tsv").exists():
        found["chnsenticorp"] = [leak_free(cleaned(reviews(shared)), ALL)]
    if (shared / "thucnews_titles" / "train.txt").exists():
        found["thucnews"] = [leak_free(cleaned(titles(shared)), ALL)]
    if (shared / "eprstmt_fewshot" / "train_0.json").exists():
        found["eprstmt"] = [cleaned(few_shot(shared / "eprstmt_fewshot", split)) for split in range(5)]
    return found


def cleaned(corpus: Corpus) -> Corpus:
    """The texts as the stage `clean` leaves them by default."""
    parts = {}
    for split, rows in corpus.parts.items():
        texts = clean_texts([text for text, _ in rows], Cleaning())
        parts[split] = [(text, label) for text, (_, label) in zip(texts, rows, strict=True)]
    return replace(corpus, parts=parts)


def few_shot(folder: Path, split: int) -> Corpus:
    """One of EPRSTMT's splits: 16 rows a class to train on, as many to validate, the public test set."""
    names = {"train": f"train_{split}", "validation": f"dev_{split}", "test": "test_public"}
    parts = {part: _json_lines(folder / f"{name}.json") for part, name in names.items()}
    return Corpus(f"eprstmt {split}", "FewCLUE's EPRSTMT", parts)


def _json_lines(path: Path) -> Pairs:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [(row["sentence"], row["label"]) for row in rows]


def few(corpus: Corpus, rows: int | None, seed: int) -> Corpus:
    """So many train rows, the classes by turns, and as many of validation: who has few labels has few to validate."""
    if rows is None:
        return corpus
    parts = {split: by_turns(corpus.parts[split], rows, seed) for split in ("train", "validation")}
    return replace(corpus, parts=corpus.parts | parts)


def by_turns(pairs: Pairs, count: int, seed: int) -> Pairs:
    """So many rows at random, one of each class after the other."""
    of_class: dict[str, Pairs] = defaultdict(list)
    for text, label in random.Random(seed).sample(pairs, len(pairs)):
        of_class[label].append((text, label))
    turns = chain.from_iterable(zip_longest(*(of_class[label] for label in sorted(of_class))))
    return [pair for pair in turns if pair is not None][:count]
