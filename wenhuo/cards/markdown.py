"""The card as Markdown: CommonMark with tables, and a front matter that model hubs read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from wenhuo.cards.aims import headline
from wenhuo.cards.content import Cell, Code, Figure, Part, Table
from wenhuo.cards.material import CardMaterial
from wenhuo.cards.parts import parts
from wenhuo.cards.privacy import HUB, address

DESCRIPTION = 5000
"""Characters of a version's description that MLflow's databases hold (``String(5000)`` in its tables)."""
COMMIT = 40  # digits of a hub's commit; a folder's content is known by 64
PARAGRAPH = 300  # characters that are left of one where room is scarce
FIRST = ("purpose", "figures", "gate", "limits", "load")
"""Parts of which a description is made, as far as they go."""
_SPECIAL = re.compile(r"([\\*_\[\]])")
_FENCE = "```"


def render_markdown(material: CardMaterial) -> str:
    """The whole card; the same material, the same text."""
    body = [_title(material), *(_part(part) for part in parts(material) if not part.silent)]
    return f"---\n{_front_matter(material)}---\n\n" + "\n\n".join(body) + "\n"


def render_description(material: CardMaterial, where: str) -> str:
    """The parts that a person needs first, as many as MLflow holds.

    Args:
        material: what is known.
        where: where the whole card is, a few words that may hold code.
    """
    said = [_title(material), _text(f"The whole card: {where}.")]
    by_name = {part.anchor: part for part in parts(material)}
    for name in FIRST:
        part = replace(by_name[name], tables=by_name[name].tables[:2], codes=by_name[name].codes[:1])
        fitting = (told for told in _shorter(part) if len("\n\n".join([*said, told])) <= DESCRIPTION)
        said += [one for one in [next(fitting, None)] if one is not None]
    return "\n\n".join(said)


def _shorter(part: Part) -> Iterator[str]:
    """A part, and what is left of it where room is scarce: without tables, the beginning of each paragraph."""
    yield _part(part)
    yield _part(replace(part, tables=(), codes=()))
    yield _part(replace(part, said=[_beginning(one) for one in part.said], points=part.points[:5], tables=(), codes=()))


def _beginning(sentence: str) -> str:
    if len(sentence) <= PARAGRAPH:
        return sentence
    cut = sentence[:PARAGRAPH]
    return (cut + "`" if cut.count("`") % 2 else cut) + " …"


def _title(material: CardMaterial) -> str:
    return f"# {_text(headline(material))}"


def _front_matter(material: CardMaterial) -> str:
    """What hubs ask for and what is true: no license, which is the user's to choose."""
    texts, card = material.texts, material.card
    told: dict[str, Any] = {"language": texts.language} if texts and texts.language else {}
    told |= {"library_name": "wenhuo", "pipeline_tag": "text-classification"}
    told["tags"] = ["text-classification", card.kind, *(["synthetic-data"] if material.synthetic else [])]
    if material.source.startswith(HUB):
        told["datasets"] = [_dataset(material.source)]
    if card.backbone and len(card.backbone_commit or "") == COMMIT:
        told["base_model"] = card.backbone
    told["metrics"] = ["accuracy", "f1"]
    results = _results(material)
    if results:
        told["model-index"] = [{"name": material.subject.model, "results": [results]}]
    written = StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.allow_unicode = True
    yaml.dump(told, written)
    return written.getvalue()


def _results(material: CardMaterial) -> dict[str, Any]:
    test = material.figures.get("test", {})
    metrics = [
        {"type": kind, "name": name, "value": test[figure]}
        for figure, kind, name in (("accuracy", "accuracy", "accuracy"), ("macro_f1", "f1", "macro-F1"))
        if test.get(figure) is not None
    ]
    if not metrics:
        return {}
    dataset = dict.fromkeys(("name", "type"), _dataset(material.source)) | {"split": "test"}
    return {"task": {"type": "text-classification"}, "dataset": dataset, "metrics": metrics}


def _dataset(source: str) -> str:
    """A data set's name: of the hub's its owner's and its own, of others the last part of the address."""
    if source.startswith(HUB):
        return "/".join(source.removeprefix(HUB).partition("@")[0].split("/")[:2])
    return address(source).partition("?")[0].rstrip("/").rsplit("/", 1)[-1]


def _part(part: Part) -> str:
    said = [_text(sentence) for sentence in part.said]
    if part.loud and said:
        said[0] = f"> **{said[0]}**"
    blocks = [f"## {_text(part.title)}", *said]
    blocks += ["\n".join(f"- {_text(point)}" for point in part.points)] if part.points else []
    blocks += [_table(table) for table in part.tables]
    blocks += [_code(code) for code in part.codes]
    return "\n\n".join(blocks)


def _table(table: Table) -> str:
    ruled = ["---:" if _is_figure(table, column) else "---" for column in range(len(table.columns))]
    lines = [_line(table.columns), f"| {' | '.join(ruled)} |", *map(_line, table.rows)]
    caption = f"{_text(table.caption)}:\n\n" if table.caption else ""
    return caption + "\n".join(lines)


def _is_figure(table: Table, column: int) -> bool:
    return any(isinstance(row[column], Figure) for row in table.rows)


def _line(cells: Sequence[Cell]) -> str:
    return f"| {' | '.join(_cell(one) for one in cells)} |"


def _cell(value: Cell) -> str:
    return _text(value.text if isinstance(value, Figure) else str(value)).replace("|", "&#124;")


def _code(code: Code) -> str:
    return f"{_text(code.about)}:\n\n{_FENCE}{code.language}\n{code.text}\n{_FENCE}"


def _text(sentence: str) -> str:
    """A sentence whose plain parts mean nothing to Markdown; code stays as it is."""
    pieces = sentence.split("`")
    pieces[::2] = [_escaped(piece) for piece in pieces[::2]]
    return "`".join(pieces)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
