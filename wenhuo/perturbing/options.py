"""How texts are perturbed, and which are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from wenhuo.settings import Section

Kind = Literal["typos", "homophones", "traditional", "no_punctuation"]
KINDS: tuple[Kind, ...] = ("typos", "homophones", "traditional", "no_punctuation")


class Robustness(Section):
    """What is asked about perturbed texts."""

    rows: int = Field(
        1000, ge=0, description="Rows of test that are perturbed, drawn by the hash of their ids; 0: none."
    )
    rate: float = Field(
        0.1, gt=0, le=0.5, description="Share of a text's characters that typos and homophones change, up to 0.5."
    )
    seed: int = Field(13, ge=0, description="Seed of the perturbations.")
    kinds: tuple[Kind, ...] = Field(
        KINDS,
        min_length=1,
        description="typos (a character doubled, dropped, swapped with the next, a neighbouring key), homophones (a "
        "common word or character of the same reading), traditional (script), no_punctuation.",
    )

    @field_validator("kinds")
    @classmethod
    def _once(cls, value: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if len(set(value)) < len(value):
            raise ValueError("names a kind twice")
        return value
