"""What a run of the graph made, for whoever started it: rows, candidates, the winner, files to open, next steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wenhuo.errors import DataError, GraphError
from wenhuo.files import read_json
from wenhuo.keeping import is_empty

REPORTS = ("ingest", "validation", "clean", "split", "audit", "metrics", "registration")


def print_summary(root: Path) -> None:
    """Print it.

    Raises:
        DataError: the graph has not run to its end here.
    """
    found = _read(root / "reports")
    console = Console(highlight=False)
    source = str(found["metrics"]["source"])
    kind = " (synthetic: its figures say nothing about real text)" if found["metrics"]["synthetic"] else ""
    console.print()
    console.print(Text.assemble(("wenhuo 文火", "bold"), f"  {source}{kind}"))
    console.print()
    console.print(_rows(found))
    console.print()
    console.print(_candidates(found["metrics"]))
    console.print()
    console.print(_trained(found["metrics"]))
    console.print()
    for line in _outcome(found["metrics"], _registration(root, found["metrics"], found["registration"])):
        console.print(line)
    if is_empty(root):
        console.print(Text("MLflow shows none of this yet; `wenhuo restore` writes it there", style="bold"))


def _read(reports: Path) -> dict[str, Any]:
    try:
        return {name: read_json(reports / f"{name}.json") for name in REPORTS}
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise DataError(f"the graph has not run to its end here: {missing} is missing", "run `make run`") from None


def _rows(found: dict[str, Any]) -> Table:
    """Rows in and out of each stage."""
    table = _table("rows", "in", "out", "")
    ingest, checked, clean = found["ingest"], found["validation"], found["clean"]
    read, rejected = _total(ingest["rows"]), _total(ingest["rejected"])
    table.add_row("ingest", f"{read + rejected:,}", f"{read:,}", f"{rejected:,} rejected")
    verdict = (
        f"{checked['errors']} errors, {checked['warnings']} warnings in {len(checked['expectations'])} expectations"
    )
    table.add_row("validate", f"{read:,}", f"{read:,}", verdict)
    removed = ", ".join(f"{count:,} {reason}" for reason, count in _reasons(clean).items() if count)
    table.add_row("clean", f"{read:,}", f"{_total(clean['rows']['out']):,}", Text(removed or "nothing removed"))
    splits, cleaned = found["metrics"]["rows"], _total(clean["rows"]["out"])
    table.add_row("split", f"{cleaned:,}", f"{sum(splits.values()):,}", _counts(splits))
    table.add_row(
        "audit", f"{sum(splits.values()):,}", f"{sum(splits.values()):,}", _suspects(found["audit"]["suspects"])
    )
    return table


def _suspects(suspects: dict[str, Any]) -> str:
    """How many labels look wrong."""
    flagged = {split: count for split, count in suspects["flagged"].items() if count}
    if suspects["reason"]:
        return f"no labels were judged: {suspects['reason']}"
    return f"labels that look wrong: {_counts(flagged) or 'none'}"


def _reasons(clean: dict[str, Any]) -> dict[str, int]:
    """Removed rows by reason, over all splits."""
    return {reason: _total(count) for reason, count in clean["removed"].items()}


def _total(value: Any) -> int:
    return sum(_total(part) for part in value.values()) if isinstance(value, dict) else int(value)


def _counts(values: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in values.items())


def _candidates(metrics: dict[str, Any]) -> Table:
    """Figures with 95 % intervals, the winner first marked."""
    leaks = any("test_leak_free" in splits for splits in metrics["candidates"].values())
    shown = [("validation", "macro_f1"), ("test", "macro_f1"), ("test", "accuracy")]
    shown += [("test_leak_free", "accuracy")] if leaks else []
    names = {"macro_f1": "macro-F1", "accuracy": "accuracy"}
    heads = (f"{split.replace('_', ' ')} {names[figure]}" for split, figure in shown)
    table = _table("candidate", *heads, "")
    for name, splits in metrics["candidates"].items():
        cells = [_figure(splits[split], figure) for split, figure in shown]
        table.add_row(name, *cells, "winner" if name == metrics["winner"] else "")
    return table


def _trained(metrics: dict[str, Any]) -> Table:
    """How many parameters each candidate trains; a dash where that was not kept."""
    table = _table("candidate", "trains", "of parameters", "")
    for name in metrics["candidates"]:
        counted = metrics.get("parameters", {}).get(name)  # an earlier version kept none
        if counted is None:
            table.add_row(name, "-", "-", "")
        else:
            share = f"{counted['trained'] / counted['all']:.2%}"
            table.add_row(name, f"{counted['trained']:,}", f"{counted['all']:,}", share)
    return table


def _figure(measure: dict[str, Any], name: str) -> str:
    if measure[name] is None:
        return "-"
    interval = measure["intervals"].get(name)
    spread = f"  {interval[0]:.3f}-{interval[1]:.3f}" if interval else ""
    return f"{measure[name]:.4f}{spread}"


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None, header_style="bold", padding=(0, 3, 0, 0))
    for column in table.columns[1:-1]:
        column.justify = "right"
    return table


def _registration(root: Path, metrics: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """What became of the winner: of one that DVC has brought back from an earlier run, the decisions tell."""
    from wenhuo.gate import decisions
    from wenhuo.lineage import candidate_stage, identify_made

    winner = metrics["winner"]
    kind = "blend" if "weights" in metrics.get("calibration", {}).get(winner, {}) else ""
    try:
        key = identify_made(candidate_stage(winner, kind), root).key
    except GraphError:
        return last
    if last.get("key") in (None, key):  # an earlier version wrote none
        return last
    known = [decision for decision in decisions.read(root / "reports").decisions if decision.key == key]
    if not known:
        reason = "what the registry made of it is not known here; `dvc repro --force register` asks it"
        return {"model": last["model"], "version": None, "verdict": "unknown", "reason": reason}
    told = known[-1]
    return {**told.model_dump(), "reason": f"{told.reason} (decided {told.when[:10]})"}


def _outcome(metrics: dict[str, Any], registration: dict[str, Any]) -> list[Text]:
    version = f"{registration['model']} version {registration['version'] or '-'}"
    verdict = registration.get("verdict", "")
    reports = (
        "reports/candidates.html",
        "reports/data.html",
        "reports/validation.html",
        "reports/cards/",
        "reports/metrics.json",
        "reports/plots/",
        "reports/errors/",
    )
    return [
        Text.assemble(("winner     ", "bold"), f"{metrics['winner']}, chosen on validation"),
        Text.assemble(("registered ", "bold"), f"{version}: {verdict}; {registration['reason']}"),
        Text.assemble(("open       ", "bold"), ", ".join(reports)),
        Text.assemble(("next       ", "bold"), 'make ui · .venv/bin/wenhuo predict "房间很干净，前台也热情"'),
    ]
