"""The words of a card that only a person can give."""

from __future__ import annotations

from pydantic import Field

from wenhuo.settings import Section

Words = str | None


class CardWords(Section):
    """``register.card`` of ``params.yaml``: what no program knows of a model."""

    purpose: Words = Field(None, max_length=2000, description="What the model is for, and what it is not for.")
    limits: Words = Field(None, max_length=2000, description="Limits beside those that follow from the data.")
    contact: Words = Field(None, max_length=200, description="Whom to ask.")
