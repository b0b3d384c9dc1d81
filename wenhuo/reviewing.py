"""``wenhuo review``: a project's suspects to a spreadsheet, and a person's decisions into its corrections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.audit.review import read_review, write_review
from wenhuo.console import say
from wenhuo.errors import DataError, SettingsError
from wenhuo.files import read_json
from wenhuo.sifting.corrections import merge_corrections, read_corrections
from wenhuo.splits import SPLITS

SUSPECTS = Path("reports/suspects.parquet")
DATASET = Path("data/split/dataset.json")
CORRECTIONS = Path("data/corrections.csv")


def write(root: Path, target: Path, *, split: str | None, top: int | None, decided: bool) -> None:
    """Write the open suspects of a project, and say how to go on.

    Raises:
        SettingsError: there is no such split.
        DataError: the graph has not made suspects here.
    """
    if split not in (None, *SPLITS):
        raise SettingsError(f"--split {split}: there is no such split", f"it is one of {', '.join(SPLITS)}")
    suspects = pl.read_parquet(_made(root / SUSPECTS))
    if not decided:
        settled = [decision.id for decision in read_corrections(root / CORRECTIONS)]
        suspects = suspects.filter(~pl.col("id").is_in(settled))
    rows = write_review(suspects, target, split=split, top=top)
    if not rows:
        say(f"review: no suspects are left; {target} holds its header only")
        return
    say(f"review: {rows:,} rows in {target}, the most suspect first")
    say("  write into the column decision: keep (保留), drop (删除), or the label that is right; nothing: undecided")
    say(f"  then: wenhuo review {target}")


def read_back(root: Path, file: Path) -> None:
    """Add the decisions in a file to the project's corrections, and say what they are and what to do next.

    Raises:
        SourceError: the file cannot be read.
        DataError: decisions in it cannot be used; nothing is changed then.
    """
    labels: list[str] = _labels(read_json(_made(root / DATASET)))
    decisions = read_review(file, labels)
    if not decisions:
        say(f"review: {file} holds no decisions yet; nothing was changed")
        return
    lines = merge_corrections(root / CORRECTIONS, decisions)
    kept = sum(decision.label == decision.given for decision in decisions)
    gone = sum(not decision.label for decision in decisions)
    say(f"review: {len(decisions):,} decisions: {kept:,} keep, {len(decisions) - kept - gone:,} relabel, {gone:,} drop")
    say(f"  {root / CORRECTIONS} holds {lines:,} now; commit it with git, and `make run` applies it")


def _labels(dataset: dict[str, Any]) -> list[str]:
    return list(dataset["labels"])


def _made(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} does not exist", "run `make run` first, or name the project with --root")
    return path
