"""Train one candidate from a folder of encoded rows to a folder that :class:`wenhuo.Classifier` loads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wenhuo.console import say
from wenhuo.encoding.corpus import read_card
from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.encoding.store import EncodedRows, read_ids, read_rows
from wenhuo.errors import DataError, SettingsError
from wenhuo.files import write_json
from wenhuo.models.folder import CARD, Card
from wenhuo.models.tuning import Adapter
from wenhuo.training import launching
from wenhuo.training.history import Point
from wenhuo.training.options import LinearCandidate, TransformerCandidate

Watch = Callable[[list[Point]], None]


def train_linear(options: LinearCandidate, seed: int, encoded: Path, folder: Path) -> list[Point]:
    """Train and calibrate a linear candidate; write its model to ``folder``; return its two or three points."""
    from wenhuo.encoding import ngrams
    from wenhuo.models import linear as model_files
    from wenhuo.models.scores import accuracy_and_macro_f1
    from wenhuo.training import calibrating, linear

    card = read_card(encoded)
    train, validation = _rows(encoded)
    encoder = Ngrams.model_validate(card["options"])
    vectorizer = ngrams.load(encoded, encoder)
    features, classes = len(vectorizer.vocabulary_), len(card["dataset"]["labels"])
    model = linear.fit(linear.as_matrix(train, features), train.labels, classes, options, seed)
    points = []
    for split, rows in (("train", train), ("validation", validation)):
        predicted = model.probabilities(linear.as_matrix(rows, features)).argmax(1)
        accuracy, macro_f1 = accuracy_and_macro_f1(rows.labels, predicted)
        points += [Point(1, 1.0, f"{split}/accuracy", accuracy), Point(1, 1.0, f"{split}/macro_f1", macro_f1)]
        say(f"train: {features:,} features, {split} accuracy {accuracy:.4f}, macro-F1 {macro_f1:.4f}")
    model_files.save(model, folder)
    shutil.copyfile(encoded / ngrams.VOCABULARY, folder / ngrams.VOCABULARY)
    _write_card(folder, Card(kind="linear", **_common(card)))
    calibrating.calibrate(options, encoded, folder)
    return points


def train_transformer(
    options: TransformerCandidate, seed: int, encoded: Path, folder: Path, checkpoints: Path, watch: Watch
) -> list[Point]:
    """Train and calibrate a transformer candidate; write its model to ``folder``; return its curves.

    Of several processes that train together only the first one writes and calibrates.

    Args:
        options: the candidate's parameters.
        seed: of every random choice.
        encoded: the encoder's folder.
        folder: where the model goes.
        checkpoints: where checkpoints are kept until the caller forgets them.
        watch: called with new points of the curves as they come.

    Raises:
        loop.Interrupted: after SIGTERM; a checkpoint is saved.
    """
    launching.prepare()
    from wenhuo.training import calibrating, processes

    points = _train_transformer(options, seed, encoded, folder, checkpoints, watch)
    if processes.first():  # by now the training's own network has left the memory
        calibrating.calibrate(options, encoded, folder)
    return points


def _train_transformer(
    options: TransformerCandidate, seed: int, encoded: Path, folder: Path, checkpoints: Path, watch: Watch
) -> list[Point]:
    from wenhuo.encoding import tokens
    from wenhuo.models import transformer
    from wenhuo.training import assembly, before, loop, processes, trainable

    card = read_card(encoded)
    train, validation = _rows(encoded)
    encoder = Tokens.model_validate(card["options"])
    tokenizer = tokens.load(encoded, encoder)
    loop.seed_everything(seed)
    backbone = _backbone(options, encoder, card, len(tokenizer.inner))
    network = transformer.Network(backbone, options.head, len(card["dataset"]["labels"]), options.dropout)
    _check_length(network.max_positions, encoder)
    rows = assembly.Rows(train, validation, tokenizer.pad, encoder.pool, card["dataset"]["labels"])
    training = assembly.assemble(network, rows, options, seed, checkpoints, watch)
    counts = trainable.count(network)
    _say_size(counts, train)
    untrained = before.ask(training.network, training.validation, read_ids(encoded / "validation.arrow"))
    points = training.run()
    if not processes.first():
        return points
    adapter = options.tune if isinstance(options.tune, Adapter) else None
    transformer.save(network, folder, adapter, _reference(options, card))
    tokens.save(tokenizer, folder)
    before.write(folder, untrained)
    origin = {"backbone": options.backbone, "backbone_commit": None} | _origin(options, card)
    kept = adapter if adapter is not None and not adapter.merge else None
    about = {"head": options.head, "adapter": kept, "parameters": counts} | origin | _common(card)
    _write_card(folder, Card(kind="transformer", **about))
    return points


def _reference(options: TransformerCandidate, card: dict[str, Any]) -> Any:
    if options.backbone_files == "copy":
        return None
    from wenhuo.models.backbones import Reference

    return Reference.to(card["checkpoint"]["name"], card["checkpoint"]["commit"])


def parameters(options: LinearCandidate | TransformerCandidate, seed: int, card: dict[str, Any]) -> dict[str, Any]:
    """All that was chosen about a candidate, for its run: its own parameters, the seed and the encoder's."""
    return {"seed": seed, **options.model_dump(exclude={"encoder"}), "encoder": card["options"]}


def forget(checkpoints: Path) -> None:
    """Delete a finished training's checkpoints."""
    shutil.rmtree(checkpoints, ignore_errors=True)


def _rows(encoded: Path) -> tuple[EncodedRows, EncodedRows]:
    train, validation = (read_rows(encoded / f"{split}.arrow") for split in ("train", "validation"))
    if not len(train) or not len(validation):
        raise DataError("train or validation has no rows", "see reports/split.json, and bring more rows")
    return train, validation


def _backbone(options: TransformerCandidate, encoder: Tokens, card: dict[str, Any], vocabulary: int) -> Any:
    from wenhuo.models import backbones

    if options.backbone == "checkpoint":
        return backbones.pretrained_backbone(encoder.tokenizer, card["checkpoint"]["commit"])
    return backbones.scratch_backbone(
        vocabulary=vocabulary,
        layers=options.layers,
        hidden=options.hidden,
        heads=options.heads,
        positions=max(512, encoder.max_tokens),
        dropout=options.dropout,
    )


def _check_length(limit: int | None, encoder: Tokens) -> None:
    if limit is not None and encoder.max_tokens > limit:
        raise SettingsError(
            f"the encoder's max_tokens is {encoder.max_tokens}, but the backbone takes {limit} tokens at most",
            f"set max_tokens to {limit} or less in params.yaml",
        )


def _say_size(counts: dict[str, int], train: EncodedRows) -> None:
    share = f"{counts['trained'] / counts['all']:.2%}"
    trained = f"{counts['trained']:,} of {counts['all']:,} parameters ({share})"
    say(f"train: {trained}, {len(train):,} rows, {len(train.values):,} tokens an epoch")


def _origin(options: TransformerCandidate, card: dict[str, Any]) -> dict[str, str | None]:
    if options.backbone == "scratch":
        return {}
    return {"backbone": card["checkpoint"]["name"], "backbone_commit": card["checkpoint"]["commit"]}


def _common(card: dict[str, Any]) -> dict[str, Any]:
    dataset = card["dataset"]
    kept = {name: dataset[name] for name in ("source", "synthetic", "rows", "hash") if name in dataset}
    return {
        "labels": dataset["labels"],
        "cleaning": dataset["cleaning"],
        "encoder": card["options"],
        "trained_on": kept,
    }


def _write_card(folder: Path, card: Card) -> None:
    write_json(folder / CARD, card.model_dump())
