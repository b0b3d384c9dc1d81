"""What is worth saying about a data set, in sentences with their figures, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

from wenhuo.pages.wording import observed, percent, plural
from wenhuo.splits import SPLITS, UNDIVIDED

Level = Literal["bad", "warning", "good"]
Figures = Mapping[str, Any]

MUCH_LEAKAGE = 0.01  # of the test rows: from here on a leak moves accuracy by more than a test set can resolve
# Expectations of which the findings below say more than the verdict does.
TOLD_BETTER = (
    "test_apart_from_train",
    "validation_apart_from_train",
    "test_apart_from_validation",
    "labels_agree",
    "few_repeats",
    "no_blank_texts",
)


@dataclass(frozen=True)
class Finding:
    """One thing to know.

    Attributes:
        level: ``bad`` spoils training or its measurement, ``warning`` deserves a look, ``good`` is as it should be.
        figure: what stands large beside the sentence: a share or a count.
        sentence: the finding, with its figures.
        where: the section of the page that says more, its anchor; empty where there is none.
    """

    level: Level
    figure: str
    sentence: str
    where: str = ""


def findings(validation: Figures, cleaning: Figures, audit: Figures | None, rejected: Figures | None) -> list[Finding]:
    """All findings, the worst first.

    Args:
        validation: what ``validation.json`` holds.
        cleaning: what ``clean.json`` holds.
        audit: what ``audit.json`` holds; None where no model was asked.
        rejected: reason to rows that could not be read; None where that is not known.
    """
    found = [
        *_rejected(rejected or {}),
        *_leaks(validation["rows"], cleaning),
        *_inflated(audit),
        *_contradictions(cleaning),
        *_suspects(validation, audit),
        *_repeats(validation["rows"], cleaning),
        *_near(cleaning),
        *_expectations(validation),
    ]
    order = {"bad": 0, "warning": 1, "good": 2}
    return sorted(found, key=lambda finding: order[finding.level])


def _rejected(reasons: Figures) -> Iterator[Finding]:
    rows = sum(reasons.values())
    if rows:
        why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
        yield Finding("bad", f"{rows:,}", f"{plural(rows, 'row')} could not be read: {why}.")


def _leaks(rows: Figures, cleaning: Figures) -> Iterator[Finding]:
    exact, near = cleaning["overlaps"]["as_read"], (cleaning.get("near") or {}).get("across", {})
    for split in ("test", "validation"):
        if split not in rows or not rows.get("train"):
            continue
        copies, more = exact[f"{split}_in_train"], near.get(f"train_in_{split}", 0)
        also = f"; {plural(more, 'more train row')} nearly {'repeat' if more > 1 else 'repeats'} one" if more else ""
        if not copies and not more:
            yield Finding("good", "0", f"No {split} row stands in train, exactly or nearly.", "overlaps")
            continue
        share, otherwise = copies / rows[split], exact[f"{split}_in_train_otherwise"]
        labels = f", {otherwise:,} of them with another label" if otherwise else ""
        level: Level = "bad" if share >= MUCH_LEAKAGE else "warning"
        sentence = f"{copies:,} of {plural(rows[split], f'{split} row')} stand in train{labels}{also}."
        yield Finding(level, percent(share), sentence, "overlaps")


def _inflated(audit: Figures | None) -> Iterator[Finding]:
    """What the leak is worth in accuracy."""
    published = (audit or {}).get("published")
    if not published:
        return
    figures = published["figures"]
    seen, unseen = (figures[name]["accuracy"] for name in ("as_published", "leak_free_training"))
    sample = ", looking at a sample of the rows," if published["sampled"] else ""
    sentence = (
        f"A linear model{sample} scores {seen:.1%} on test as published and {unseen:.1%} when it has not seen the test "
        "rows in training."
    )
    level: Level = "bad" if seen - unseen >= MUCH_LEAKAGE else "good"
    yield Finding(level, f"{100 * (seen - unseen):.1f} points", sentence, "figures")


def _contradictions(cleaning: Figures) -> Iterator[Finding]:
    counts = cleaning["overlaps"]["as_read"]
    texts = {part: counts[f"contradictions_in_{part}"] for part in (*SPLITS, UNDIVIDED)}
    some = {part: count for part, count in texts.items() if count}
    if some:
        where = ", ".join(
            f"{count:,} in {part}" if part != "undivided" else f"{count:,}" for part, count in some.items()
        )
        yield Finding("warning", f"{sum(some.values()):,}", f"Texts with several labels: {where}.", "contradictions")
    else:
        yield Finding("good", "0", "No text has several labels within a split.")


def _suspects(validation: Figures, audit: Figures | None) -> Iterator[Finding]:
    suspects = (audit or {}).get("suspects") or {}
    if _unlearnable(validation, suspects):
        right = suspects["out_of_fold_accuracy"]
        sentence = (
            "of labels are told by a linear model, no more than by always saying the commonest one: nothing can be "
        )
        yield Finding("warning", percent(right), f"{percent(right)} {sentence}said of wrong labels.")
        return
    for split, flagged in (suspects.get("flagged") or {}).items():
        looked, rows = suspects["looked_at"][split], suspects["rows"][split]
        kind = f"{split} row" if split in validation["rows"] else "row"
        sample = f" (a sample of {rows:,})" if looked < rows else ""
        if flagged:
            sentence = f"The labels of {flagged:,} of {plural(looked, kind)}{sample} look wrong."
            yield Finding("warning", percent(flagged / looked), sentence, "suspects")


def _unlearnable(validation: Figures, suspects: Figures) -> bool:
    """Whether the model that judges labels is right no more often than chance lets it, by three standard errors."""
    right, counts = suspects.get("out_of_fold_accuracy"), validation["labels"]["rows"]
    if right is None or not counts:
        return False
    commonest = max(label["all"] for label in counts) / validation["rows"]["all"]
    return bool(right <= commonest + 3 * sqrt(commonest * (1 - commonest) / suspects["looked_at"]["train"]))


def _repeats(rows: Figures, cleaning: Figures) -> Iterator[Finding]:
    counts = cleaning["overlaps"]["as_read"]
    for split in ("train", "undivided", "validation", "test"):
        repeats = counts.get(f"repeats_in_{split}", 0)
        if repeats:
            sentence = f"{repeats:,} of {plural(rows[split], f'{split} row')} repeat an earlier one."
            yield Finding("warning", percent(repeats / rows[split]), sentence, "overlaps")


def _near(cleaning: Figures) -> Iterator[Finding]:
    near = cleaning.get("near")
    if near and near["clusters"]:
        differ = near["labels_differ"]
        labels = f"; {plural(differ, 'cluster')} with several labels" if differ else ""
        sentence = (
            f"{plural(near['clustered_rows'], 'row')} in {plural(near['clusters'], 'cluster')} of near-duplicates"
        )
        yield Finding("warning", percent(near["clustered_rows"] / near["rows"]), f"{sentence}{labels}.", "near")


def _expectations(validation: Figures) -> Iterator[Finding]:
    for verdict in validation["expectations"]:
        if not verdict["success"] and verdict["name"] not in TOLD_BETTER:
            level: Level = "bad" if verdict["level"] == "error" else "warning"
            yield Finding(level, observed(verdict), f"Not met: {verdict['description']}", "expectations")
