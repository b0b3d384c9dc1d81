"""What ``params.yaml`` says of cards today: a person's words, and how many texts may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wenhuo.cards.options import CardWords
from wenhuo.errors import SettingsError
from wenhuo.settings import read_yaml

PARAMETERS = "params.yaml"
EXAMPLES = 20  # as evaluate.examples has it where nothing is said


@dataclass(frozen=True)
class Rules:
    """A person's words; rows that are shown with their texts: 0 where one of the two ``examples`` is 0."""

    words: CardWords = field(default_factory=CardWords)
    shown: int = EXAMPLES


def read_rules(root: Path) -> Rules:
    """The rules of a project; a card that is made again follows those of today.

    Raises:
        SettingsError: ``register.card`` is not what it may be.
    """
    path = root / PARAMETERS
    values = (read_yaml(path) if path.exists() else None) or {}
    register, evaluate = (values.get(name) or {} for name in ("register", "evaluate"))
    try:
        words = CardWords.model_validate(register.get("card") or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("register.card", *first["loc"])))
        raise SettingsError(f"{path.name}: {where}: {first['msg']}", "mend it") from None
    shown = _count(evaluate.get("examples"), EXAMPLES)
    return Rules(words, shown if _count(register.get("examples"), 1) else 0)


def _count(value: Any, otherwise: int) -> int:
    """A number of rows; what is none is said elsewhere."""
    return value if isinstance(value, int) and value >= 0 else otherwise
