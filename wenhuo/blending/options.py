"""What may be chosen about a blend; the entries of ``blend.candidates`` in ``params.yaml``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import Field, field_validator

from wenhuo.settings import Section
from wenhuo.training.options import ABSTAIN


class Blend(Section):
    """A candidate that blends what others say. It has no `calibrate`: the sum of its weights is its temperature."""

    of: list[str] = Field(
        min_length=2, max_length=4, description="Two to four entries of train.candidates, whose answers are blended."
    )
    abstain: float | None = Field(None, gt=0, lt=1, description=ABSTAIN)

    @field_validator("of")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        twice = sorted({name for name in value if value.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands there twice: name each member once")
        return value


def disagreements(blends: Mapping[str, Blend], trained: Collection[str]) -> list[str]:
    """What blends ask for that the trained candidates do not give, each with its place below ``blend.candidates``."""
    found = [
        f"{name}: train.candidates has a {name!r} as well; call one of them otherwise"
        for name in blends
        if name in trained
    ]
    for name, blend in blends.items():
        for member in (member for member in blend.of if member not in trained):
            if member in blends:
                found.append(f"{name}.of: {member!r} is a blend itself; name what it is made of")
            else:
                found.append(f"{name}.of: there is no {member!r} in train.candidates ({', '.join(trained)})")
    return found
