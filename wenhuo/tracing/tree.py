"""What a trace found, as a tree: drawn in the terminal, or as JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

SHORT = 12
EVIDENT = {"aliases", "paths", "place", "verdict", "version", "what"}
"""Facts that need no name in the terminal."""


@dataclass
class Node:
    """One thing: what kind it is, its name, facts about it, and what it comes from or leads to.

    Attributes:
        kind: version, run, stage, file, source, row, rows, code, state, model, problem.
        name: what it is called.
        facts: by name; hashes are shown short in the terminal and whole in JSON.
        children: in the order to show them in.
        detail: facts that are for machines only.
    """

    kind: str
    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)

    def add(self, *children: Node | None) -> Node:
        """Hang children below; return itself."""
        self.children += [child for child in children if child is not None]
        return self

    def as_dict(self) -> dict[str, Any]:
        """The tree for machines."""
        told: dict[str, Any] = {"kind": self.kind, "name": self.name}
        told |= {name: value for name, value in (self.facts | self.detail).items() if value not in (None, "")}
        return told | ({"children": [child.as_dict() for child in self.children]} if self.children else {})


def as_json(node: Node) -> str:
    """The tree as indented JSON."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(node.as_dict(), option=options, default=str).decode()


def draw(node: Node) -> None:
    """Draw the tree in the terminal; where nobody watches, lines are as long as they are."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=240)
    console.print(_branch(node, None))


def _branch(node: Node, above: Tree | None) -> Tree:
    drawn = Tree(_line(node), guide_style="dim") if above is None else above.add(_line(node))
    for child in node.children:
        _branch(child, drawn)
    return drawn


def _line(node: Node) -> Text:
    style = {"version": "bold", "stage": "bold cyan", "model": "bold", "problem": "bold red"}.get(node.kind, "")
    facts = _shown(node.facts).items()
    said = [_short(value) if name in EVIDENT else f"{name} {_short(value)}" for name, value in facts]
    return Text.assemble((node.name, style), ("  " if said else "", ""), (" · ".join(said), "dim"))


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "", {}, [])}


def _short(value: Any) -> str:
    """A value in few characters: hashes are cut, tables become lists."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(one)}" for name, one in value.items() if one is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(_short(one) for one in value)
    text = str(value)
    return text[:SHORT] if len(text) >= 32 and all(letter in "0123456789abcdef." for letter in text[:32]) else text
