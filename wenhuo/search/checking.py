"""What is wrong with a search, all of it, before anything is trained."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from wenhuo.search.changes import Base, wrong_with
from wenhuo.search.declaration import Search
from wenhuo.search.space import AnySpace
from wenhuo.training.options import LinearCandidate

TRIED = 1000
"""Combinations that are checked (20 microseconds each); of more, those that change one parameter at a time."""
SHOWN = 5


def mistakes(
    name: str,
    search: Search,
    base: Base | None,
    sections: Collection[str],
    blends: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[str]:
    """What is wrong with a search, a line each.

    Args:
        name: of the search.
        search: its declaration.
        base: the candidate it changes, None when there is none of that name.
        sections: the names of all sections of ``params.yaml``.
        blends: the blends of ``params.yaml`` with the names of their members.
    """
    if base is None and search.candidate in blends:
        of = ", ".join(blends[search.candidate])
        return [
            f"{name}.candidate: {search.candidate!r} is a blend, whose weights are fitted; search its members ({of})"
        ]
    if base is None:
        return [f"{name}.candidate: there is no {search.candidate!r} in train.candidates"]
    refused = {path: sentence for path in search.space if (sentence := _refused(path, search, base, sections))}
    found = [f"{name}.space.{path}: {sentence}" for path, sentence in refused.items()]
    if search.objective == "loss" and isinstance(base.candidate, LinearCandidate):
        found.append(f"{name}.objective: a linear candidate has no loss on validation; choose macro_f1 or accuracy")
    where = f"{name}.space"
    tried = _combinations({path: space for path, space in search.space.items() if path not in refused})
    unfit = list(dict.fromkeys(line for values in tried for line in wrong_with(base, values, where)))
    more = [f"{where}: and {len(unfit) - SHOWN:,} more"] if len(unfit) > SHOWN else []
    return [*found, *unfit[:SHOWN], *more]


def _refused(path: str, search: Search, base: Base, sections: Collection[str]) -> str | None:
    """Why a parameter is none that can be searched; None when it may be one."""
    first, _, rest = path.partition(".")
    if path in ("kind", "encoder.kind", "seed"):
        return "is nothing to be chosen by a score; write another candidate"
    if first in type(base.candidate).model_fields:
        whole = next((other for other in search.space if path.startswith(f"{other}.") and other != "encoder"), None)
        return f"is a part of {whole}, which is searched as a whole" if whole else None
    if first in ("train", "encode"):
        name = rest.rpartition(".")[2]
        return f"name it as in the candidate's entry ({name}), or encoder.{name} for the encoder's"
    if first in sections:
        return (
            f"belongs to the stage {first}, which a search does not run; what comes before encode "
            "changes the validation rows, and scores on different rows cannot be compared"
        )
    return None


def _combinations(space: Mapping[str, AnySpace]) -> Iterator[dict[str, Any]]:
    """Combinations of the parameters' extreme values: all, or, where they are too many, one change at a time."""
    extremes = {path: one.extremes() for path, one in space.items()}
    if math.prod(len(values) for values in extremes.values()) <= TRIED:
        yield from (dict(zip(extremes, values, strict=True)) for values in itertools.product(*extremes.values()))
        return
    first = {path: values[0] for path, values in extremes.items()}
    yield from (first | {path: value} for path, values in extremes.items() for value in values)
