"""Who wins and why, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wenhuo.pages.wording import points


def headline(summary: Mapping[str, Any]) -> str:
    """The page's first sentence."""
    return f"{summary['winner']} wins on validation."


def reasons(summary: Mapping[str, Any], linear: set[str]) -> list[str]:
    """Why it wins, how sure that is, and what test says of it.

    Args:
        summary: what ``metrics.json`` holds.
        linear: the names of the linear candidates.
    """
    said = [f"The winner is the candidate with {summary['chosen_by'].replace('macro_f1', 'macro-F1')}."]
    return [*said, *_lead(summary), *_against_linear(summary, linear), *_on_test(summary)]


def _lead(summary: Mapping[str, Any]) -> list[str]:
    lead = summary["lead"]
    if lead is None:
        return ["There is no other candidate to compare it with."]
    if not lead["macro_f1"]:
        return [f"{lead['over']} is its equal."]
    ahead = f"It is {points(100 * lead['macro_f1']).removeprefix('+')} points ahead of {lead['over']}"
    if lead["interval"] is None:
        return [f"{ahead}."]
    low, high = (points(100 * end) for end in lead["interval"])
    if lead["interval"][0] > 0:
        return [f"{ahead} (95% interval {low} to {high}, on the same rows drawn again and again)."]
    return [f"{ahead}, which may be chance: the 95% interval of the difference is {low} to {high}."]


def _against_linear(summary: Mapping[str, Any], linear: set[str]) -> list[str]:
    """What the more costly models are worth beside the linear baseline."""
    scores = {name: one["validation"]["macro_f1"] or 0.0 for name, one in summary["candidates"].items()}
    if not linear or linear == set(scores):
        return []
    if summary["winner"] in linear:
        return ["No candidate of another kind beats the linear baseline on these rows."]
    best = max((name for name in scores if name in linear), key=lambda name: scores[name])
    if summary["lead"] and summary["lead"]["over"] == best:
        return [f"{best} is the linear baseline."]
    difference = points(100 * (scores[summary["winner"]] - scores[best]))
    return [f"The linear baseline {best} is {difference.removeprefix('+')} points behind."]


def _on_test(summary: Mapping[str, Any]) -> list[str]:
    scores = {name: one["test"]["macro_f1"] for name, one in summary["candidates"].items()}
    known = {name: score for name, score in scores.items() if score is not None}
    if len(known) < 2:
        return []
    best = max(known, key=lambda name: known[name])
    if best == summary["winner"] or known[best] == known.get(summary["winner"]):
        return ["The winner has the highest macro-F1 on test as well, which chose nothing."]
    return [f"On test {best} has a higher macro-F1; test chooses nothing, so that its figures stay honest."]
