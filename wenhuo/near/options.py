"""What counts as a near-duplicate, and how hard it is looked for; apart from the search, which imports much."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wenhuo.settings import Section


class NearDuplicates(Section):
    """When two texts are nearly the same, and what happens to such rows of train."""

    threshold: float | None = Field(
        0.7,
        ge=0.3,
        le=1,
        description="Jaccard similarity of two texts' character n-grams from which on they are near-duplicates, "
        "0.3 to 1; null looks for none. White space, punctuation, case, width and traditional script do not count.",
    )
    characters: int = Field(
        2,
        ge=1,
        le=3,
        description="The longest n-grams, in characters; texts are compared by those of every length up to it.",
    )
    permutations: int = Field(
        128,
        ge=16,
        le=1024,
        description="Hashes of a sketch: more find more of the pairs close to the threshold, and take longer.",
    )
    in_train: Literal["keep", "remove"] = Field(
        "keep", description="What happens to train rows that nearly repeat an earlier train row."
    )
    seed: int = Field(13, ge=0, lt=2**32, description="Of the sketches' hashes.")
