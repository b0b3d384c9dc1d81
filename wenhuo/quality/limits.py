"""Where a corpus becomes an error or a warning; the ``validate`` section of ``params.yaml`` holds these limits."""

from __future__ import annotations

from pydantic import Field

from wenhuo.settings import Section


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
