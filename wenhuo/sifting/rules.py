"""What is done to texts and to rows that repeat one another; the ``clean`` section of ``params.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wenhuo.near.options import NearDuplicates
from wenhuo.settings import Section
from wenhuo.text.cleaning import Cleaning


class Rules(Section):
    """What is normalised, and what happens to repeated texts."""

    normalise: Cleaning = Field(Cleaning(), description="The steps that every text goes through.")
    duplicates: Literal["remove", "keep"] = Field(
        "remove", description="What happens to train rows with the text and label of an earlier train row."
    )
    contradictions: Literal["drop", "majority", "keep"] = Field(
        "drop",
        description="What happens to train rows whose text has several labels: all go, those with another label than "
        "most go (all in a tie), or all stay.",
    )
    leaks: Literal["remove_from_train", "report", "fail"] = Field(
        "remove_from_train",
        description="What happens when texts of train stand, or nearly stand, in validation or test.",
    )
    near_duplicates: NearDuplicates = Field(
        NearDuplicates(), description="When two texts are nearly the same, and what happens to such rows of train."
    )
