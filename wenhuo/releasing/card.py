"""The card of a backbone that ships: what it is, what it was made of, how good it is and what it is bad at."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wenhuo.errors import SourceError

OBJECTIVES = {
    "masked": "masked language modelling (Devlin et al. 2019)",
    "replaced": "replaced-token detection (ELECTRA, Clark et al. 2020)",
}
COLUMNS = ("repository", "licence", "kind", "characters")


@dataclass(frozen=True)
class Release:
    """What the card says beside what the network's folder knows.

    Attributes:
        name: of the backbone.
        about: a sentence or two.
        licence: of the weights.
        limits: what it is bad at, a sentence each.
        sources: what the text consists of: rows with repository, commit, licence, kind and characters; None: unknown.
        held_out: what :func:`wenhuo.releasing.holding_out.hold_out` returned; under ``chosen`` what
            :func:`wenhuo.releasing.choosing.choose` did.
        commit: of the project when it was packed; empty: unknown.
        figures: rows of measured figures: what, and the figure in words.
    """

    name: str
    about: str
    licence: str
    limits: tuple[str, ...] = ()
    sources: tuple[Mapping[str, str], ...] | None = None
    held_out: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""
    figures: tuple[tuple[str, str], ...] = ()


def read_sources(path: Path) -> tuple[dict[str, str], ...]:
    """The rows of a table of sources, tab-separated, with at least the columns of ``COLUMNS``, or ``repo`` for one.

    Raises:
        SourceError: it lacks a column.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            {"repository": row.pop("repo", ""), **row} if "repo" in row else row
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing:
        raise SourceError(f"{path.name} lacks the columns {', '.join(missing)}", f"it needs {', '.join(COLUMNS)}")
    return tuple(rows)


def figures_of(measured: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The rows of the card that ``benchmarks.backbone`` wrote down, under ``card``."""
    return tuple((str(what), str(figure)) for what, figure in measured.get("card", ()))


def card(pretrained: Mapping[str, Any], packed: Mapping[str, Any], release: Release) -> str:
    """The card as Markdown.

    Args:
        pretrained: ``pretraining.json`` of the network's folder.
        packed: its ``parameters`` and the ``sha256`` of its weights.
        release: the rest.
    """
    parts = (
        [f"# {release.name}", "", release.about, ""],
        _table(_facts(pretrained, packed, release)),
        _use(release.name),
        _made(pretrained, release),
        _sources(release.sources),
        _held_out(release.held_out),
        _chosen(release.held_out),
        ["", "## Figures", "", *(_table(release.figures) if release.figures else ["Not measured yet."])],
        ["", "## What it is bad at", "", *(f"- {limit}" for limit in release.limits)] if release.limits else [],
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _facts(pretrained: Mapping[str, Any], packed: Mapping[str, Any], release: Release) -> list[tuple[str, str]]:
    shape, options = pretrained["architecture"], pretrained["options"]
    return [
        ("parameters", f"{packed['parameters']:,}, each stored in 16 bits and loaded as float32"),
        ("kind", f"{shape['kind']}, {shape['layers']} layers of {options['hidden']}, {options['heads']} heads"),
        ("vocabulary", f"{pretrained['vocabulary']:,} entries: characters, and pieces of Latin words"),
        ("positions", f"{options['positions']}"),
        ("sha256 of model.safetensors", f"`{packed['sha256']}`"),
        ("licence", release.licence),
    ]


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    body = [f"| {' | '.join(row)} |" for row in rows]
    columns = body[0].count(" | ") + 1 if body else 2
    return [f"|{' |' * columns}", f"|{' --- |' * columns}", *body]


def _use(name: str) -> list[str]:
    return [
        "",
        f"In wenhuo: `tokenizer: builtin:{name}` of an encoder, `backbone: checkpoint` of a candidate. Anywhere else:",
        "",
        "```python",
        "from transformers import AutoModel, AutoTokenizer",
        "",
        "tokenizer = AutoTokenizer.from_pretrained(FOLDER)",
        "model = AutoModel.from_pretrained(FOLDER)",
        "```",
    ]


def _made(pretrained: Mapping[str, Any], release: Release) -> list[str]:
    before = pretrained.get("before", [])
    tokens = sum(course["tokens"] for course in (*before, pretrained))
    commit = f" Packed at commit `{release.commit}`." if release.commit else ""
    heading = ("course", "objective", "hidden", "learnt from", "tokens", "passes", "learning rate", "weights, sha256")
    table = _table([_course(n, course) for n, course in enumerate((*before, pretrained), 1)])
    table[0] = f"| {' | '.join(heading)} |"
    again = f" in {len(before) + 1} courses, each going on from the weights of the one before" if before else ""
    return [
        "",
        "## How it was made",
        "",
        f"It saw {tokens:,} tokens{again}.{commit} `pretraining.json` has every option,",
        "and `pretraining/` in the project makes it anew, from any text.",
        "",
        *table,
    ]


def _course(number: int, course: Mapping[str, Any]) -> tuple[str, ...]:
    options, chosen = course["options"], course["text"].get("chosen")
    joined = ", short lines joined" if options.get("join") else ""
    rows = f"{sum(course['rows'].values()):,} rows of at most {options['max_tokens']} tokens{joined}"
    return (
        str(number),
        OBJECTIVES[options["objective"]],
        f"{options['mask']:.0%}, {'whole words' if options['whole_words'] else 'single tokens'}",
        f"{chosen['kept']:,} of {chosen['of']:,} lines, {rows}" if chosen else rows,
        f"{course['tokens']:,}",
        f"{course['passes']:.2f}",
        f"{options['learning_rate']:g}",
        f"`{course['packed'][:12]}`" if "packed" in course else "",
    )


def _sources(sources: tuple[Mapping[str, str], ...] | None) -> list[str]:
    if sources is None:
        return ["", "## Text", "", "What the text consists of is not recorded."]
    total = sum(int(row["characters"]) for row in sources)
    rows = [
        (
            row["repository"],
            f"`{row.get('commit', '')[:10]}`",
            row["licence"],
            row["kind"],
            f"{int(row['characters']):,}",
        )
        for row in sources
    ]
    heading = ("repository", "commit", "licence as found", "kind", "characters")
    table = _table(rows)
    table[0] = f"| {' | '.join(heading)} |"
    return ["", "## Text", "", f"{total:,} characters. The text is no part of the project.", "", *table]


def _held_out(found: Mapping[str, Any]) -> list[str]:
    if not found.get("evaluation"):
        return ["", "Nothing was held out of the text."]
    held = sum(one["held_back"] for one in found["evaluation"])
    lines = sum(one["lines"] for one in found["files"])
    texts = sum(one["texts"] for one in found["evaluation"])
    names = [
        f"{one['file']} ({one['texts']:,} texts, {one['held_back']:,} lines)"
        for one in found["evaluation"]
        if one["held_back"]
    ]
    return [
        "",
        f"Of {lines:,} lines {held:,} were left out, since they stand in an evaluation set, white space and",
        f"punctuation aside. {len(found['evaluation'])} files with {texts:,} texts were looked through"
        f"{': ' * bool(names)}{', '.join(names)}.",
    ]


def _chosen(found: Mapping[str, Any]) -> list[str]:
    chosen = found.get("chosen")
    if not chosen:
        return []
    sets = ", ".join(f"{one['like']} ({one['texts']:,} texts)" for one in chosen["sets"])
    return [
        "",
        f"Of the {chosen['of']:,} lines that remained, {chosen['kept']:,} were learnt from: for each of these data",
        f"sets the {chosen['share']:.0%} most like its texts, by characters and pairs of them: {sets}.",
        "Being compared with is not being learnt from, and no label was read; but such text is what it knows best.",
    ]
