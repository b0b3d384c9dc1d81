"""What the gate asks of a model, as parameters; each question has an answer with its reason in the verdict."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from wenhuo.settings import Section

Share = Annotated[float, Field(ge=0, le=1)]


class Comparison(Section):
    """How a challenger and the champion are compared, on the same rows of the frozen test set."""

    margin: float = Field(0.0, ge=0, lt=1, description="Macro-F1 by which a challenger must lead, beyond chance.")
    alpha: float = Field(
        0.05, gt=0, le=0.5, description="Chance of taking luck for a difference that is allowed to a comparison."
    )
    resamples: int = Field(2000, ge=1000, le=100_000, description="Resamples of the paired bootstrap.")
    seed: int = Field(13, ge=0, description="Seed of the resampling.")
    mcnemar: bool = Field(
        True, description="Must McNemar's test, too, say that the challenger is right more often than the champion?"
    )
    linear: Literal["not_worse", "better", "any"] = Field(
        "not_worse",
        description="What a winner that is not linear owes to the best linear candidate, by the same comparison.",
    )


class Floors(Section):
    """What a model must reach on the test set, whatever the champion reaches."""

    macro_f1: Share = Field(0.0, description="Lowest macro-F1.")
    class_f1: Share = Field(0.3, description="Lowest F1 of a class.")
    labels: dict[str, Share] = Field({}, description="Lowest F1 of single classes, by label, instead of class_f1.")
    rows: int = Field(20, ge=1, description="Classes of fewer test rows are held to no floor but one of their own.")


class Slices(Section):
    """Parts of the test set in which the challenger must not fall behind the champion."""

    fall: Share = Field(0.02, description="Accuracy that a slice may lose; what chance explains is no loss.")
    rows: int = Field(30, ge=1, description="Slices of fewer rows are not held.")


class Limits(Section):
    """What a model may cost, and how far its probabilities may be off."""

    calibration_error: Share | None = Field(0.2, description="Largest expected calibration error on test; null: any.")
    milliseconds: float | None = Field(
        1000, gt=0, description="Longest time for one text on the machine that registers, the median; null: any."
    )
    megabytes: float | None = Field(2000, gt=0, description="Largest model folder, 10^6 bytes each; null: any.")


class Gate(Section):
    """All that the gate asks."""

    test_set: str | None = Field(
        None,
        min_length=8,
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="The beginning of the hash of a test set to freeze instead of the champion's; null: keep that.",
    )
    comparison: Comparison = Comparison()
    floors: Floors = Floors()
    slices: Slices = Slices()
    limits: Limits = Limits()
