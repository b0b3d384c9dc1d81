"""``search.yaml``: what is searched, by name. Read by ``wenhuo search`` and by ``python -m tasks --check``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from wenhuo.errors import SettingsError
from wenhuo.search.space import AnySpace
from wenhuo.settings import NAME, Section, parse_sections, read_yaml

DECLARED = Path("search.yaml")


class Search(Section):
    """An entry of ``search.yaml``."""

    candidate: str = Field(description="Of train.candidates: what is not searched stays as it is there.")
    trials: int = Field(20, ge=1, description="Trials in all; with more a study goes on where it ended.")
    objective: Literal["macro_f1", "accuracy", "loss"] = Field(
        "macro_f1", description="What is looked for: the highest macro-F1 or accuracy on validation, or the least loss."
    )
    prune: Literal["median", "halving", "none"] = Field(
        "median", description="Which trials end early: those worse than the median of their epoch, or all but the best."
    )
    seed: int = Field(13, ge=0, description="Seed of what is tried; the training's own seed is train.seed.")
    space: dict[str, AnySpace] = Field(
        min_length=1, description="What may change: parameters of the candidate, and of its encoder as encoder.NAME."
    )


def read_searches(path: Path = DECLARED) -> dict[str, Search]:
    """The searches that a file declares.

    Raises:
        SettingsError: there is no such file, or with every mistake in it.
    """
    if not path.exists():
        raise SettingsError(f"{path} does not exist", "docs/search.md says how a search is declared")
    values = read_yaml(path) or {}
    names = list(values) if isinstance(values, dict) else []
    bad = [repr(name) for name in names if not (isinstance(name, str) and NAME.fullmatch(name))]
    if bad:
        raise SettingsError(
            f"{path}: {', '.join(bad)}: no name for a search", "use lower-case letters, digits, - and _, a letter first"
        )
    sections = parse_sections(values, dict.fromkeys(names, Search), where=str(path))
    return {name: section for name, section in sections.items() if isinstance(section, Search)}
