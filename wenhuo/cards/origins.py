"""What the version was made of: its data with their report, and its training with all that was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wenhuo.cards.content import NOTHING, Cell, Figure, Part, Table, cell, code, plain
from wenhuo.cards.material import CardMaterial
from wenhuo.cards.privacy import address, fit_values
from wenhuo.evaluation.page import training as courses
from wenhuo.inspection.findings import findings
from wenhuo.lineage import LOCK, PREFIX
from wenhuo.models.folder import Card
from wenhuo.pages.wording import number, percent, plural
from wenhuo.splits import SPLITS

REPORT = "`reports/data.html` shows all of it with pictures and examples, `reports/validation.html` every expectation."
EPOCHS = 30  # lines of a table at most


def data(material: CardMaterial) -> Part:
    """Source, rows, splits with their hashes, what was removed and corrected, what validation and inspection found."""
    reports = material.reports
    said = [f"From {code(address(material.source))}." if material.source else "Its source is not known any more."]
    said += [*_read(reports["ingest"]), *_cleaned(reports["clean"]), *_validated(material)]
    tables = [_splits(material), *_removed(reports["clean"]), *_sources(reports["validation"])]
    points = _findings(reports)
    return Part("data", "Data", [*said, *([REPORT] if points else [])], points, [t for t in tables if t.rows])


def _read(ingest: Mapping[str, Any]) -> list[str]:
    if not ingest:
        return []
    why = ", ".join(f"{plain(reason)} {count:,}" for reason, count in (ingest.get("reasons") or {}).items())
    rejected = f"; {plural(ingest['rejected'], 'row')} could not be read ({why})" if ingest["rejected"] else ""
    return [f"{plural(ingest['rows'], 'row')} were read{rejected}."]


def _cleaned(clean: Mapping[str, Any]) -> list[str]:
    if not clean:
        return []
    removed = sum(sum(parts.values()) for parts in clean["removed"].values())
    corrections = clean.get("corrections", {})
    return [
        f"Cleaning removed {plural(removed, 'row')} and changed {plural(clean['changed']['texts'], 'text')}. People "
        f"corrected {plural(corrections.get('relabelled', 0), 'label')} and took out "
        f"{plural(corrections.get('taken_out', 0), 'row')}."
    ]


def _validated(material: CardMaterial) -> list[str]:
    report = material.reports["validation"]
    if report:
        asked = f" in {plural(len(report['expectations']), 'expectation')}" if report.get("expectations") else ""
        return [f"Validation: {plural(report['errors'], 'error')}, {plural(report['warnings'], 'warning')}{asked}."]
    told = material.subject.tags.get(f"{PREFIX}validation")
    return [f"Validation: {plain(told)}."] if told else []


def _splits(material: CardMaterial) -> Table:
    """Rows and hash of each split, as its model's folder says them where the summary does not."""
    summary, kept = material.summary, material.card.trained_on
    rows, hashes = (summary.get(name) or kept.get(name) or {} for name in ("rows", "hash"))
    lines: list[list[Cell]] = [
        [split, Figure(f"rows/{split}", rows[split]), code(hashes.get(split, "")) if hashes.get(split) else "–"]
        for split in SPLITS
        if split in rows
    ]
    return Table(["Split", "rows", "SHA-256 over the rows' ids"], lines)


def _removed(clean: Mapping[str, Any]) -> Iterator[Table]:
    if clean and clean["removed"]:
        parts = list(clean["rows"]["in"])
        rows: list[list[Cell]] = [
            [cell(reason), *(number(by_part.get(part, 0)) for part in parts)]
            for reason, by_part in clean["removed"].items()
        ]
        rows.append(["rows that stay", *(number(clean["rows"]["out"].get(part, 0)) for part in parts)])
        yield Table(["Removed because", *parts], rows)


def _sources(validation: Mapping[str, Any]) -> Iterator[Table]:
    sources = validation.get("sources") or []
    if len(sources) > 1:
        rows: list[list[Cell]] = [[cell(one["source"]), number(one["all"])] for one in sources]
        yield Table(["Source", "rows as read"], rows)


def _findings(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the data report says first."""
    if not reports["validation"] or not reports["clean"]:
        return []
    rejected = reports["ingest"].get("reasons") or {}
    found = findings(reports["validation"], reports["clean"], reports["audit"] or None, rejected)
    return [plain(one.sentence) for one in found]


def training(material: CardMaterial) -> Part:
    """The kind of model, what was trained of it, every parameter, the environment and the machine."""
    card, tags = material.card, material.run.get("tags") or material.subject.tags
    said = [*_kinds(material), *_trained(material), *_circumstances(tags)]
    chosen: list[list[Cell]] = [[code(name), _value(value)] for name, value in _flat(_chosen(material))]
    identity: list[list[Cell]] = [[name, code(value)] for name, value in _identity(material, tags).items() if value]
    tables = [Table(["Parameter", "value"], chosen, "What was chosen"), Table(["Identity", "value"], identity)]
    cleaning: list[list[Cell]] = [[code(name), _value(value)] for name, value in _flat(card.cleaning.model_dump())]
    tables.append(Table(["Cleaning", "value"], cleaning, "Done to every text, in training and after it"))
    return Part("training", "Training", said, tables=[table for table in tables if table.rows])


def _chosen(material: CardMaterial) -> dict[str, Any]:
    card = material.card
    chosen = {"weights": card.members} if card.encoder is None else {"encoder": card.encoder.model_dump()}
    return dict(fit_values(material.run.get("parameters") or {"kind": card.kind, **chosen}))


def _kinds(material: CardMaterial) -> list[str]:
    """What kind of model it is; of a blend also its members, with their weights."""
    weights = material.card.members
    if weights is None:
        return [_kind(material.card)]
    said = (
        "A blend: the logarithms of its members' probabilities are added up, each times a weight fitted on validation."
    )
    return [said, *(f"{code(n)}, weight {weights[n]:.4f}: {_kind(card)}" for n, card in material.members.items())]


def _kind(card: Card) -> str:
    if card.kind == "linear":
        return "A linear model on weighted n-grams."
    if card.backbone in (None, "scratch"):
        return "A transformer that was trained from nothing on these texts."
    commit = f", version {code(card.backbone_commit)}" if card.backbone_commit else ""
    return f"A transformer on the backbone {code(address(str(card.backbone)))}{commit}."


def _trained(material: CardMaterial) -> list[str]:
    counts = (material.summary.get("parameters") or {}).get(material.subject.candidate) or material.card.parameters
    if not counts:
        return []
    part = percent(counts["trained"] / max(1, counts["all"]))
    return [f"{counts['trained']:,} of {counts['all']:,} parameters were trained ({part})."]


def _circumstances(tags: Mapping[str, str]) -> list[str]:
    """The machine and the environment, as the run keeps them."""
    told = {name: tags.get(f"{PREFIX}{name}") for name in ("cpu", "gpu", "threads", "python")}
    if not any(told.values()):
        return ["On which machine it was trained was not kept."]
    threads = f", {plain(told['threads'])} threads" if told["threads"] else ""
    machine = f"Trained on {plain(told['gpu'])}, beside " if told["gpu"] else "Trained on "
    return [f"{machine}{plain(told['cpu'])}{threads}, with Python {plain(told['python'])}."]


def _identity(material: CardMaterial, tags: Mapping[str, str]) -> dict[str, str]:
    dirty = tags.get(f"{PREFIX}git_dirty") == "true"
    commit = tags.get("mlflow.source.git.commit", "")
    return {
        "stage": material.run.get("stage", tags.get(f"{PREFIX}stage", "")),
        "stage key": material.subject.key,
        "git commit": f"{commit} and changes that were not committed" if commit and dirty else commit,
        "environment (SHA-256 of constraints.txt)": tags.get(f"{PREFIX}environment_sha256", ""),
        "dvc.lock (SHA-256)": material.subject.tags.get(LOCK, ""),
        "flow run": tags.get(f"{PREFIX}flow_run", ""),
        "frozen test set (SHA-256)": (material.verdict.test_set if material.verdict else None) or "",
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _value(value: Any) -> str:
    if value is None or value == "":
        return "–"
    return str(value).lower() if isinstance(value, bool) else cell(value)


def course(material: CardMaterial) -> Part | None:
    """How training went: pictures on the page, the epochs' figures in Markdown."""
    own = material.page.candidates[material.subject.candidate].history
    if not own or own[-1].step <= 1:
        return None
    epochs: dict[float, dict[str, float]] = {}
    for point in own:
        if point.metric in ("validation/macro_f1", "validation/loss"):
            epochs.setdefault(point.epoch, {})[point.metric] = point.value
    rows: list[list[Cell]] = [
        [f"{epoch:g}", *(_value_of(told.get(f"validation/{name}")) for name in ("macro_f1", "loss"))]
        for epoch, told in list(epochs.items())[:EPOCHS]
    ]
    table = Table(["Epoch", "macro-F1 on validation", "loss on validation"], rows)
    known = all("macro_f1" in one["validation"] for one in material.summary["candidates"].values())
    said = ["The weights of the best epoch on validation were kept."]
    drawn = courses(material.page) if known else NOTHING
    return Part("courses", "How training went", said, tables=[table] if rows else [], instead=drawn)


def _value_of(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
