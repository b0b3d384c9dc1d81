"""Encode the splits of a data set and report what the encoder makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.encoding.store import EncodedRows, pack, write_rows
from wenhuo.files import read_json, whole, write_json
from wenhuo.splits import SPLITS

FOR_TRAINING = ("train", "validation")
CARD = "encoder.json"


@dataclass(frozen=True)
class Dataset:
    """The split data set: what ``dataset.json`` says, and a table (id, text, label, …) for each split."""

    about: dict[str, Any]
    tables: dict[str, pl.DataFrame]

    def texts(self, split: str) -> list[str]:
        """The cleaned texts of a split."""
        return self.tables[split]["text"].to_list()

    def class_ids(self, split: str) -> npt.NDArray[np.int32]:
        """Positions of the rows' labels in the label list, shape (n,)."""
        ids = {label: i for i, label in enumerate(self.about["labels"])}
        return np.array([ids[label] for label in self.tables[split]["label"].to_list()], dtype=np.int32)


def read_dataset(parts: Path) -> Dataset:
    """Read the folder that the stage `split` wrote."""
    tables = {split: pl.read_parquet(parts / f"{split}.parquet") for split in SPLITS}
    return Dataset(read_json(parts / "dataset.json"), tables)


def follow(dataset: Dataset, suspects: Path) -> tuple[Dataset, dict[str, int]]:
    """The data set after the actions that the stage `audit` decided on, and how many rows each of them changed.

    Only train rows are dropped or relabelled, whatever the table says: labels of validation and test are a person's.
    Without actions the data set is returned as it is.
    """
    table = pl.read_parquet(suspects, columns=["id", "split", "suggested", "action"])
    acted = table.filter(pl.col("split") == "train", pl.col("action") != "none")
    train = dataset.tables["train"]
    counts = {action: train.join(rows, on="id", how="semi").height for (action,), rows in acted.group_by("action")}
    counts = {action: counts[action] for action in sorted(counts) if counts[action]}
    if not counts:
        return dataset, {}
    joined = train.join(acted.select("id", "suggested", "action"), on="id", how="left", maintain_order="left")
    kept = joined.filter(pl.col("action").is_null() | (pl.col("action") != "drop"))
    relabelled = pl.when(pl.col("action") == "relabel").then(pl.col("suggested")).otherwise(pl.col("label"))
    train = kept.with_columns(relabelled.alias("label")).drop("suggested", "action")
    about = dataset.about | {"rows": dataset.about["rows"] | {"train": train.height}, "suspects": counts}
    return Dataset(about, dataset.tables | {"train": train}), counts


def encode(options: Ngrams | Tokens, dataset: Dataset, target: Path) -> dict[str, Any]:
    """Fit an encoder on the train rows, write train and validation to the folder ``target``; return the report."""
    if isinstance(options, Tokens):
        return encode_tokens(options, dataset, target)
    return encode_ngrams(options, dataset, target)


def encode_tokens(options: Tokens, dataset: Dataset, target: Path) -> dict[str, Any]:
    """Write token ids of train and validation and the tokenizer to ``target``; return the report."""
    from wenhuo.checkpoints import longest_learnt
    from wenhuo.encoding import tokens

    if options.tokenizer == "corpus":
        tokenizer = tokens.from_corpus(dataset.texts("train"), options)
    else:
        tokenizer = tokens.from_checkpoint(options)
    report: dict[str, Any] = {"entries": len(tokenizer.inner), "checkpoint": tokenizer.checkpoint}
    learnt = longest_learnt(Path(tokenizer.inner.name_or_path)) if tokenizer.checkpoint else None
    with whole(target) as folder:
        tokens.save(tokenizer, folder)
        for split in SPLITS:
            pairs = list(tokenizer.lengths_and_rows(dataset.texts(split)))
            offsets, values = pack(ids for _, rows in pairs for ids in rows)
            lengths = np.array([length for length, _ in pairs], dtype=np.int64)
            unknown = float((values == tokenizer.inner.unk_token_id).mean()) if len(values) else 0.0
            report[split] = _describe(lengths, float((lengths > tokenizer.longest).mean()), unknown)
            if learnt is not None and len(lengths):
                beyond = np.minimum(lengths, options.max_tokens) > learnt
                report[split]["pretrained_on"] = {"tokens": learnt, "longer_share": float(beyond.mean())}
            texts = None
            if options.keep == "windows":
                texts = np.cumsum([0, *(len(rows) for _, rows in pairs)], dtype=np.int64)
                report[split]["windows"] = _describe_windows(np.diff(texts))
            _write(folder, split, dataset, EncodedRows(dataset.class_ids(split), offsets, values, texts=texts))
        _finish(folder, options, dataset, tokenizer.checkpoint)
    return report


def encode_ngrams(options: Ngrams, dataset: Dataset, target: Path) -> dict[str, Any]:
    """Write n-gram weights of train and validation and the vocabulary to ``target``; return the report."""
    from wenhuo.encoding import ngrams

    vectorizer = ngrams.fit(dataset.texts("train"), options)
    count = vectorizer.build_analyzer()
    report: dict[str, Any] = {"entries": len(vectorizer.vocabulary_), "checkpoint": None}
    with whole(target) as folder:
        ngrams.save(vectorizer, folder)
        for split in SPLITS:
            texts = dataset.texts(split)
            matrix = ngrams.transform(vectorizer, texts)
            known, every = _known(texts, count, vectorizer.vocabulary_)
            report[split] = _describe(np.diff(matrix.indptr), 0.0, 1 - known / every if every else 0.0)
            values, weights = matrix.indices.astype(np.int32), matrix.data
            rows = EncodedRows(dataset.class_ids(split), matrix.indptr.astype(np.int64), values, weights)
            _write(folder, split, dataset, rows)
        _finish(folder, options, dataset, None)
    return report


def _known(texts: list[str], count: Any, vocabulary: dict[str, int]) -> tuple[int, int]:
    """How many n-grams of the texts are in the vocabulary, and how many there are."""
    known = every = 0
    for text in texts:
        found = count(text)
        every += len(found)
        known += sum(ngram in vocabulary for ngram in found)
    return known, every


def _describe(lengths: npt.NDArray[np.int64], cut_share: float, unknown_share: float) -> dict[str, Any]:
    if not len(lengths):
        return {"rows": 0, "length": None, "cut_share": 0.0, "unknown_share": 0.0}
    quantiles = np.quantile(lengths, [0.5, 0.9, 0.99, 1.0]).tolist()
    named = dict(zip(("median", "p90", "p99", "longest"), quantiles, strict=True))
    return {"rows": len(lengths), "length": named, "cut_share": cut_share, "unknown_share": unknown_share}


def _describe_windows(counts: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How many windows the texts have, and the share of texts that have several."""
    if not len(counts):
        return {"windows": 0, "most": 0, "several_share": 0.0}
    return {"windows": int(counts.sum()), "most": int(counts.max()), "several_share": float((counts > 1).mean())}


def _write(folder: Path, split: str, dataset: Dataset, rows: EncodedRows) -> None:
    if split in FOR_TRAINING:
        write_rows(folder / f"{split}.arrow", dataset.tables[split]["id"].to_list(), rows)


def _finish(folder: Path, options: Ngrams | Tokens, dataset: Dataset, checkpoint: dict[str, str | None] | None) -> None:
    """Write the card: everything of the data set and the encoder that a model must remember."""
    write_json(folder / CARD, {"options": options.model_dump(), "checkpoint": checkpoint, "dataset": dataset.about})


def read_card(encoded: Path) -> dict[str, Any]:
    """What :func:`_finish` wrote beside the encoded rows: ``options``, ``checkpoint`` and ``dataset``."""
    card: dict[str, Any] = read_json(encoded / CARD)
    return card
