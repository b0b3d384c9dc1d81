"""Gather what is known of a version: from what stages wrote, what git keeps, and what the gate decided."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wenhuo.cards.asking import ask_drawn, stand_in
from wenhuo.cards.files import Files, read_report
from wenhuo.cards.material import CardMaterial, Curve, Subject
from wenhuo.cards.rules import Rules
from wenhuo.cards.texts import describe_texts
from wenhuo.errors import DataError
from wenhuo.evaluation.answers import Answers
from wenhuo.evaluation.material import Material, Shown
from wenhuo.gate import decisions
from wenhuo.gate.decisions import GATE, Decision
from wenhuo.keeping import keep_measured, kept_run, kept_versions
from wenhuo.metrics.tables import safe
from wenhuo.models.folder import Card, member_cards, read_card
from wenhuo.training import before
from wenhuo.training.history import Point
from wenhuo.training.history import read as read_history

REPORTS = ("ingest", "validation", "clean", "split", "audit")
BY_CANDIDATE = ("candidates", "parameters", "calibration", "slices", "error_kinds")
CURVES = {"roc": ("false_positive_rate", "true_positive_rate"), "pr": ("recall", "precision")}


def gather(root: Path, subject: Subject, files: Files, rules: Rules) -> CardMaterial:
    """Everything that is known of a version.

    Args:
        root: the project's folder, for what git keeps.
        subject: the version.
        files: what the stages wrote that made it.
        rules: what a person says, and how many texts may be shown.

    Raises:
        DataError: its figures or its model are gone.
        ModelError: its folder is damaged or refused.
    """
    metrics = read_report(files, "reports/metrics.json")
    folders = _folders(files, metrics, subject.candidate)
    cards = {name: read_card(folder) for name, folder in folders.items()}
    baseline = _baseline(metrics, cards, subject.candidate)
    own = subject.candidate
    names = [own, *([baseline] if baseline else [])]
    verdict, plots, train = _verdict(root, subject), "reports/plots", files.file("data/split", "train.parquet")
    confused = _rows(files.file(plots, "confusion.csv"), own)
    return CardMaterial(
        subject=subject,
        words=rules.words,
        summary=_of(metrics, names),
        baseline=baseline,
        card=cards[own],
        run=kept_run(root, subject.key) or {},
        measured=keep_measured(root, subject.key, {})[0],
        reports={name: read_report(files, f"reports/{name}.json") for name in REPORTS},
        verdict=verdict,
        champion=_champion(root, subject, verdict),
        shown=rules.shown if subject.examples else 0,
        page=_page(metrics, files, {name: folders[name] for name in names}, {name: cards[name] for name in names}),
        confusion=_confusion(confused, cards[own].labels),
        curves={kind: _curves(files.file(plots, f"{kind}.csv"), own, *xy) for kind, xy in CURVES.items()},
        reliability=_reliability(files.file(plots, "reliability.csv"), own),
        texts=None if train is None else describe_texts(train),
        members={place.name: card for place, card in member_cards(folders[own], cards[own]).items()},
    )


def _folders(files: Files, metrics: Mapping[str, Any], own: str) -> dict[str, Path]:
    """The candidates' models that are to be had."""
    found = {name: files.folder(f"models/{name}") for name in metrics.get("candidates", {})}
    if found.get(own) is None:
        raise DataError(f"the figures or the files of {own} are gone", "`dvc pull` may bring them")
    return {name: folder for name, folder in found.items() if folder is not None}


def _baseline(metrics: Mapping[str, Any], cards: Mapping[str, Card], own: str) -> str | None:
    """The best linear candidate on validation; None where there is none, or the version is linear itself."""
    scores = {
        name: metrics["candidates"][name]["validation"].get("macro_f1") or 0.0
        for name, card in cards.items()
        if card.kind == "linear"
    }
    return None if not scores or own in scores else max(scores, key=lambda name: scores[name])


def _of(metrics: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The summary without other candidates than these, and without a lead that is not between them."""
    kept = dict(metrics)
    for part in BY_CANDIDATE:
        if isinstance(kept.get(part), dict):
            kept[part] = {name: kept[part][name] for name in names if name in kept[part]}
    robust = kept.get("robustness")
    if robust:
        by_name = robust.get("candidates", {})
        kept["robustness"] = {**robust, "candidates": {name: by_name[name] for name in names if name in by_name}}
    return kept


def _verdict(root: Path, subject: Subject) -> Decision | None:
    """The gate's last decision about the version that rests on checks; failing such, its last one."""
    about = [
        one
        for one in decisions.read(root / "reports").of(subject.model)
        if one.version == subject.number and one.by == GATE and one.verdict in ("promoted", "challenger")
    ]
    checked = [one for one in about if one.checks]
    return next(reversed(checked or about), None)


def _champion(root: Path, subject: Subject, verdict: Decision | None) -> Mapping[str, Any] | None:
    """What was kept of the champion of the time."""
    if verdict is None or verdict.before in (None, subject.number):
        return None
    known = {(one["name"], one["number"]): one for one in kept_versions(root)}
    return known.get((subject.model, verdict.before)) or {"name": subject.model, "number": verdict.before}


def _page(metrics: Mapping[str, Any], files: Files, folders: Mapping[str, Path], cards: Mapping[str, Card]) -> Material:
    """Figures, courses, and the validation rows that were drawn for before and after."""
    labels = list(metrics.get("labels") or next(iter(cards.values())).labels)
    part, answers = ask_drawn(files.file("data/split", "validation.parquet"), folders, labels)
    shown = {}
    for name, card in cards.items():
        columns = [card.labels.index(label) for label in labels]
        untrained = {key: [row[k] for k in columns] for key, row in before.read(folders[name]).items()}
        said = Answers({"validation": answers[name]}, 0.0, card)
        shown[name] = Shown(stand_in(card), said, _history(files.file(f"reports/history/{name}.csv")), untrained)
    return Material(_of(metrics, list(cards)) | {"labels": labels}, {"validation": part}, shown)


def _history(path: Path | None) -> list[Point]:
    return [] if path is None else read_history(path)


def _rows(path: Path | None, candidate: str) -> Iterator[dict[str, str]]:
    if path is None:
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["candidate"] == candidate)


def _confusion(rows: Iterable[Mapping[str, str]], labels: Sequence[str]) -> list[tuple[str, str, int]]:
    """With the labels as they are: the table has some of them disarmed for spreadsheet programs."""
    written = {str(safe(label)): label for label in labels}
    return [(written[row["actual"]], written[row["predicted"]], int(row["rows"])) for row in rows]


def _curves(path: Path | None, candidate: str, x: str, y: str) -> list[Curve]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in _rows(path, candidate):
        lines.setdefault(row["curve"], []).append((float(row[x]), float(row[y])))
    return list(lines.items())


def _reliability(path: Path | None, candidate: str) -> list[tuple[float, float, int]]:
    return [
        (float(row["confidence"]), float(row["accuracy"]), int(row["rows"]))
        for row in _rows(path, candidate)
        if int(row["rows"])
    ]
