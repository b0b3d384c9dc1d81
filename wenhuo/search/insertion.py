"""Add an entry to a mapping in a YAML file; every other byte of the file stays as it is."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from wenhuo.errors import SettingsError


def insert(text: str, path: Sequence[str], name: str, values: Mapping[str, Any], comment: str) -> str:
    """The text with ``name: values`` at the end of the mapping at ``path``.

    Why not a round trip through ruamel.yaml, which keeps comments: it writes ``null`` as nothing and moves brackets.

    Raises:
        SettingsError: there is no such mapping, or it is written in braces.
    """
    mapping = _find(text, path)
    lines = text.splitlines(keepends=True)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    place = _last_line(mapping) + 1
    if not lines[place - 1].endswith("\n"):
        lines[place - 1] += ending
    indent = " " * mapping.value[0][0].start_mark.column
    more = [f"{name}:  # {comment}", *(f"  {key}: {flow(value)}" for key, value in values.items())]
    made = "".join([*lines[:place], *(f"{indent}{line}{ending}" for line in more), *lines[place:]])
    _check(text, made, path, name, values)
    return made


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.width, yaml.default_flow_style = 100_000, True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # said to be None only
    made = io.StringIO()
    yaml.dump(value, made)
    return made.getvalue().removesuffix("...\n").strip()


def _find(text: str, path: Sequence[str]) -> MappingNode:
    node: Node | None = YAML().compose(text)
    for part in path:
        children = node.value if isinstance(node, MappingNode) else []
        node = next((value for key, value in children if key.value == part), None)
    if not isinstance(node, MappingNode) or not node.value or node.flow_style:
        raise SettingsError(
            f"{'.'.join(path)} is no mapping with an entry on each line, so nothing can be added to it",
            "write its entries on lines of their own, without braces",
        )
    return node


def _last_line(node: Node) -> int:
    """The line on which a node ends; a mapping's own mark stands behind the comments and blank lines that follow."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(node, MappingNode) else last)
    return int(node.end_mark.line)


def _check(text: str, made: str, path: Sequence[str], name: str, values: Mapping[str, Any]) -> None:
    """Make sure that the file means what it meant, and the entry besides."""
    safe = YAML(typ="safe")
    wanted = safe.load(text)
    entries = wanted
    for part in path:
        entries = entries[part]
    entries[name] = dict(values)
    if safe.load(made) != wanted:
        raise SettingsError(f"{'.'.join(path)} is written in a way that nothing can be added to", "add it by hand")
