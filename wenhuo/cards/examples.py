"""Before and after: validation rows, and what the untrained and the trained network and the baseline say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wenhuo.cards.content import Cell, Part, Table, cell
from wenhuo.cards.material import CardMaterial
from wenhuo.evaluation.page import sentences
from wenhuo.evaluation.sentences import before_and_after
from wenhuo.pages.wording import excerpt, number, percent, plural

IN_MARKDOWN = 10  # rows; the page shows as many as evaluate.examples allows


def examples(material: CardMaterial) -> Part | None:
    """Rows that nobody picked, none of test; without their texts where ``examples`` is 0."""
    found = before_and_after(material.page, material.shown)
    if not found["drawn"]:
        return None
    said = [
        f"{plural(found['drawn'], 'validation row')} drawn by a hash of their ids, none of test. ✓ and ✗ compare with "
        "the given label, which may itself be wrong."
    ]
    if not material.shown:
        said.append("Texts are not shown, as `evaluate.examples` or `register.examples` is 0.")
    rows = [row for group in found["groups"] for row in group["rows"]]
    tables = [_tallies(found), *([_rows(material, rows[:IN_MARKDOWN])] if rows else [])]
    drawn = sentences(material.page, material.shown)
    return Part("before", "Before and after", said, tables=tables, instead=drawn)


def _tallies(found: Mapping[str, Any]) -> Table:
    rows: list[list[Cell]] = [
        [cell(one["name"]), "–" if one["before"] is None else number(one["before"]), number(one["after"])]
        for one in found["tallies"]
    ]
    return Table(
        ["Right among the rows drawn", "untrained", "trained"], [*rows, ["rows", *[number(found["drawn"])] * 2]]
    )


def _rows(material: CardMaterial, rows: list[dict[str, Any]]) -> Table:
    own = material.subject.candidate
    untrained = any(row["said"][own]["before"] for row in rows)
    heads = ["Text", "label", *(["untrained"] if untrained else []), cell(own)]
    heads += [cell(material.baseline)] if material.baseline else []
    lines: list[list[Cell]] = []
    for row in rows:
        said = [_answer(row["said"][own]["before"])] if untrained else []
        said += [_answer(row["said"][name]["after"]) for name in material.candidates]
        lines.append([cell(excerpt(row["text"])), cell(row["label"]), *said])
    return Table(heads, lines)


def _answer(said: Mapping[str, Any] | None) -> str:
    if said is None:
        return "–"
    return f"{'✓' if said['right'] else '✗'} {cell(said['label'])} {percent(said['probability'])}"
