"""Correct labels, normalise texts, and take out what would spoil training or its measurement, by these rules in order.

1. taken out by a correction: what people decided in `data/corrections.csv`, where labels are corrected too;
2. blank: nothing is left of a text (rows of every split);
3. stands in test: validation rows whose text stands in test, for otherwise the test set would help to choose;
4. stands in test, stands in validation: train rows whose text stands there (`leaks`);
5. contradicting labels: train rows whose text bears several labels (`contradictions`);
6. repeats an earlier row: train rows with a text and label that an earlier train row has (`duplicates`);
7. nearly stands in test, nearly stands in validation: rows that stand in a cluster of near-duplicates with a row there
   (`near_duplicates`, `leaks`);
8. nearly repeats an earlier row: train rows of such a cluster with the label of an earlier one, if that is asked for.

Undivided rows are train rows to these rules. A published test set loses nothing but its blank rows; the column `leaked`
says which rows of validation and test had a copy, or nearly one, in train. Texts are the same when they are after
normalisation, white space aside. Every removed row is written down with the rule that took it and the row it copies.
"Earlier" follows origin, row and id, so the order of the rows in the corpus changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wenhuo.errors import ValidationError
from wenhuo.sifting.rules import Rules


class Params(Rules):
    """What is normalised, and what happens to repeated texts."""


def run(
    params: Params,
    *,
    corpus: Path,
    validation: Path,
    corrections: Path,
    cleaned: Path,
    removed: Path,
    clusters: Path,
    contradictions: Path,
    report: Path,
) -> None:
    """Write the cleaned rows, the removed ones, near-duplicates, contradictions and the figures.

    Raises:
        ValidationError: the corpus broke an expectation.
        DataError: a correction cannot be read or applied; or train rows stand in validation or test and `leaks` is
            `fail`.
    """
    from wenhuo.files import read_json, write_json
    from wenhuo.sifting.cleansing import clean_corpus
    from wenhuo.sifting.outputs import Outputs

    if not read_json(validation)["success"]:
        raise ValidationError(f"{validation} says that the corpus broke an expectation", "mend the source, run again")
    told = clean_corpus(params, corpus, corrections, Outputs(cleaned, removed, clusters, contradictions))
    write_json(report, told)
    _tell(told, corrections)


def _tell(told: dict[str, Any], corrections: Path) -> None:
    from wenhuo.console import say

    before, after = (sum(told["rows"][key].values()) for key in ("in", "out"))
    reasons = ", ".join(f"{sum(parts.values()):,} {reason}" for reason, parts in told["removed"].items())
    say(f"clean: {before:,} rows in, {after:,} out; removed: {reasons or 'none'}")
    for line in (*_corrected(told["corrections"], corrections), *_near(told["near"])):
        say(f"clean: {line}")
    for split, count in told["leaked"].items():
        rows = told["rows"]["out"][split]
        say(f"clean: {count:,} of {rows:,} {split} rows have a copy, or nearly one, in train as read")


def _corrected(told: dict[str, Any], path: Path) -> list[str]:
    lines = []
    if told["applied"]:
        lines.append(f"rows corrected: {told['relabelled']:,} relabelled, {told['taken_out']:,} taken out")
    if told["unknown"]:
        named = ", ".join(told["unknown_ids"][:3]) + (", …" if told["unknown"] > 3 else "")
        lines.append(
            f"warning: {path} names {told['unknown']:,} rows that the corpus does not have ({named}); "
            "the source may have changed since"
        )
    return lines


def _near(told: dict[str, Any] | None) -> list[str]:
    if not told:
        return []
    lines = [f"near-duplicates: {told['clustered_rows']:,} of {told['rows']:,} rows; clusters: {told['clusters']:,}"]
    across = {name.replace("_", " "): count for name, count in told["across"].items() if count}
    if across:
        lines.append(
            "near-duplicates across splits: " + ", ".join(f"{count:,} {name}" for name, count in across.items())
        )
    if told["labels_differ"]:
        lines.append(f"clusters of near-duplicates with several labels: {told['labels_differ']:,}")
    return lines
