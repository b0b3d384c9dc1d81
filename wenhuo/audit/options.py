"""What may be chosen about the audit; the section ``audit`` of ``params.yaml`` holds this."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wenhuo.settings import Section

Policy = Literal["report", "drop", "relabel"]


class Auditing(Section):
    """How suspects are looked for, and what happens to those among the train rows."""

    wrong_labels: Policy = Field(
        "report",
        description="What happens to flagged train rows: report lists them, drop leaves them out of training, relabel "
        "trains on the suggested label. Validation and test rows are listed for a person and never changed.",
    )
    folds: int = Field(10, ge=2, le=50, description="Parts of train; each is judged by a model of the others.")
    max_rows: int = Field(
        50_000, ge=100, description="Rows of a split that are looked at, at most; of more, a sample by their ids' hash."
    )
    extra: int = Field(200, ge=0, description="Rows listed beyond the flagged ones, the most suspect first.")
