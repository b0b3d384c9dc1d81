"""Where a corpus becomes an error or a warning; the ``validate`` section of ``params.yaml`` holds these limits."""

from __future__ import annotations

from pydantic import Field

from wenhuo.settings import Section


class Drift(Section):
    """How far a data version may move away from the one before it."""

    max_rows_lost: float = Field(
        0.2, ge=0, le=1, description="Rows gone, as a share of what there was, 0 to 1; of all, of a split, of a source."
    )
    max_rows_gained: float = Field(
        1.0, ge=0, description="Rows more, as a share of what there was: 1 is twice as many; of all, a split, a source."
    )
    max_label_shift: float = Field(
        0.1, ge=0, le=1, description="Share of the rows that would have to change their label, 0 to 1."
    )
    max_length_shift: float = Field(
        0.1, ge=0, le=1, description="Kolmogorov-Smirnov distance between the lengths of the texts, 0 to 1."
    )
    max_new_characters: float = Field(
        0.001, ge=0, le=1, description="Share of the texts' characters that the previous version lacks, 0 to 1."
    )


class Limits(Section):
    """The limits of the suite of expectations."""

    min_rows: int = Field(50, ge=1, description="Rows; fewer are an error.")
    max_labels: int = Field(
        500, ge=2, description="Different labels; more are an error, and their names are not shown."
    )
    max_characters: int = Field(20_000, ge=1, description="Characters of a text; a longer one is a warning.")
    max_blank: float = Field(0.2, ge=0, le=1, description="Share of blank texts, 0 to 1; a larger one is an error.")
    min_chinese: float = Field(
        0.0, ge=0, le=1, description="Mean share of Chinese characters in a text, 0 to 1; a lower one is a warning."
    )
    max_repeats: float = Field(
        0.05, ge=0, le=1, description="Share of rows that repeat an earlier one, 0 to 1; a larger one is a warning."
    )
    max_largest_label: float = Field(
        0.9, gt=0, le=1, description="Share of the rows with the commonest label, 0 to 1; a larger one is a warning."
    )
    min_label_rows: int = Field(20, ge=1, description="Rows of a label; a label with fewer is a warning.")
    drift: Drift = Field(default_factory=Drift, description="Limits of what may change since the previous version.")
