"""What a card may say of where things are: a card travels, so it names no folder of a machine and holds no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from wenhuo.reading.remote import without_secrets

_LOCAL = re.compile(
    r"(?:file://|(?<![\w:/.~]))(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\\"'`,;:()（）]+[/\\])+([^\s/\\\"'`,;:()（）]*)"
)
"""A path from the root, from a home or of a drive. A single name after a slash is none (and/or, 1/2)."""
HUB = "hf://"


def fit(text: str) -> str:
    """A message without passwords, tokens and signatures; of a path from the root only the last name is left."""
    masked = without_secrets(text)
    home = str(Path.home())
    if len(home) > 1:
        masked = masked.replace(f"{home}/", "~/")
    return _LOCAL.sub(lambda found: found[1] or "…", masked)


def address(source: str) -> str:
    """A source as a card names it: URLs without secrets, relative paths as they are, of other paths the last name."""
    if "://" in source and not source.startswith("file://"):
        return without_secrets(source)
    path = source.removeprefix("file://").rstrip("/\\")
    if path.startswith(("/", "~", "\\")) or re.match(r"[A-Za-z]:[/\\]", path):
        return re.split(r"[/\\]", path)[-1]
    return source


def fit_values(value: Any) -> Any:
    """Parameters, however nested, with every text fit to be shown."""
    if isinstance(value, dict):
        return {name: fit_values(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fit_values(inner) for inner in value]
    return address(value) if isinstance(value, str) else value
