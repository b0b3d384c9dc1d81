"""Add an entry to a mapping in a YAML file; every other byte of the file stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

from wenhuo.errors import SettingsError

PLAIN = re.compile(r"[^\W\d][\w./-]*")
"""Strings that need no quotes …"""
WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""… unless they are these, in this or in the older dialect."""

BREAKS = re.compile("[\x85\u2028\u2029]")
"""Line ends of YAML that JSON knows as characters."""


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
    """A value on one line of YAML, which the YAML of DVC and that of others read alike."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    if isinstance(value, float) and "e" in repr(value) and "." not in repr(value):
        return repr(value).replace("e", ".0e")  # 1e-05 is a word to YAML 1.1
    quoted = json.dumps(value, ensure_ascii=False)
    return BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


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
    try:
        same = safe.load(made) == wanted
    except YAMLError:
        same = False
    if not same:
        entry = flow({name: values})[1:-1]
        raise SettingsError(f"nothing can be added to {'.'.join(path)} as it is written", f"add it by hand: {entry}")
