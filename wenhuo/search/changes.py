"""From the values of a trial to a candidate and its encoder, and what of both a search leaves as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from wenhuo.encoding.options import EncoderOptions
from wenhuo.errors import SettingsError
from wenhuo.search.declaration import Search
from wenhuo.search.space import AnySpace, Choice
from wenhuo.settings import mistakes_in
from wenhuo.training.options import Candidate, disagreement

ENCODER = "encoder."
"""How the names of the encoder's parameters begin in a search."""


@dataclass(frozen=True)
class Base:
    """What a search changes, as it stands in ``params.yaml``.

    Attributes:
        name: of the candidate.
        candidate: its parameters.
        encoders: all encoders by name.
        seed: ``train.seed``.
    """

    name: str
    candidate: Candidate
    encoders: Mapping[str, EncoderOptions]
    seed: int


@dataclass(frozen=True)
class Setting:
    """What one trial trains: a candidate, and the options of the encoder that it names, perhaps changed."""

    candidate: Candidate
    encoder: EncoderOptions


def replaced(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of nested values with the one at a dotted path replaced; ``mean`` in the way becomes ``{kind: mean}``."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**values, first: value}
    inner = values.get(first)
    below = inner if isinstance(inner, dict) else {"kind": inner} if isinstance(inner, str) else {}
    return {**values, first: replaced(below, rest, value)}


def apart(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values for the candidate, and those for its encoder without their prefix."""
    encoder = {name.removeprefix(ENCODER): value for name, value in values.items() if name.startswith(ENCODER)}
    return {name: value for name, value in values.items() if not name.startswith(ENCODER)}, encoder


def setting(base: Base, values: Mapping[str, Any]) -> Setting:
    """The candidate and the encoder of a trial.

    Raises:
        SettingsError: the values make none.
    """
    wrong = wrong_with(base, values, "space")
    if wrong:
        raise SettingsError("; ".join(wrong), "change the space in search.yaml")
    candidate, encoder = _changed(base, values)
    trained = type(base.candidate).model_validate(candidate)
    return Setting(trained, type(base.encoders[trained.encoder]).model_validate(encoder))


def wrong_with(base: Base, values: Mapping[str, Any], where: str) -> list[str]:
    """Why some values make no candidate that can be trained, a line each; places begin with ``where``."""
    candidate, encoder = _changed(base, values)
    kind = type(base.candidate)
    found = mistakes_in(where, kind, candidate)
    encoders = dict(base.encoders)
    name = candidate["encoder"]
    if isinstance(name, str) and name in encoders:
        unfit = mistakes_in(f"{where}.encoder", type(encoders[name]), encoder)
        found += unfit
        encoders |= {} if unfit else {name: type(encoders[name]).model_validate(encoder)}
    sentence = None if found else disagreement(kind.model_validate(candidate), encoders)
    return [*found, f"{where}.{sentence}"] if sentence else found


def _changed(base: Base, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The candidate's values and its encoder's; there are none of the latter where it names no encoder."""
    own, below = apart(values)
    candidate: dict[str, Any] = base.candidate.model_dump()
    for path, value in own.items():
        candidate = replaced(candidate, path, value)
    name = candidate["encoder"]
    encoder: dict[str, Any] = base.encoders[name].model_dump() if name in list(base.encoders) else {}
    for path, value in below.items():
        encoder = replaced(encoder, path, value)
    return candidate, encoder


def fixed(base: Base, search: Search) -> dict[str, Any]:
    """All that the search does not change: the rest of the candidate, of the encoders it may read, and the seed."""
    own, encoder = apart(search.space)
    names = sorted(own["encoder"].extremes()) if "encoder" in own else [base.candidate.encoder]
    return {
        "seed": base.seed,
        "candidate": _without(base.candidate.model_dump(mode="json", exclude={"encoder"}), own),
        "encoders": [_without(base.encoders[name].model_dump(mode="json"), encoder) for name in names],
    }


def _without(values: dict[str, Any], paths: Collection[str]) -> dict[str, Any]:
    """Nested values without those at some dotted paths."""
    kept = {}
    for name, value in values.items():
        below = {path.partition(".")[2] for path in paths if path.startswith(f"{name}.")}
        if name not in paths:
            kept[name] = _without(value, below) if below and isinstance(value, dict) else value
    return kept


def standing(base: Base, search: Search) -> dict[str, Any] | None:
    """What Optuna would draw for the candidate as it stands; None when the space does not hold it."""
    found = {path: _drawn(base, path, space) for path, space in search.space.items()}
    return None if any(value is None for value in found.values()) else found


def _drawn(base: Base, path: str, space: AnySpace) -> Any:
    candidate, encoder = _changed(base, {})
    if isinstance(space, Choice):  # an option may be short for what stands there: mean for {kind: mean}
        same = (option for option in space.options if not wrong_with(base, {path: option}, ""))
        still = Setting(base.candidate, base.encoders[base.candidate.encoder])
        return next((space.drawn(option) for option in same if setting(base, {path: option}) == still), None)
    value: Any = encoder if path.startswith(ENCODER) else candidate
    for name in path.removeprefix(ENCODER).split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return space.drawn(value)
