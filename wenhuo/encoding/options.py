"""What may be chosen about an encoder; the sections of ``params.yaml`` and of a stored model hold these."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from wenhuo.settings import Section

Keep = Literal["head", "tail", "head_tail", "windows"]
Pool = Literal["mean", "max"]


class Ngrams(Section):
    """TF-IDF weights of n-grams, for linear models."""

    kind: Literal["ngrams"]
    unit: Literal["characters", "words"] = Field("characters", description="What an n-gram is made of.")
    shortest: int = Field(1, ge=1, le=10, description="Units in the shortest n-gram.")
    longest: int = Field(3, ge=1, le=10, description="Units in the longest n-gram.")
    min_rows: int = Field(2, ge=1, description="An n-gram that fewer train rows hold is left out.")
    max_features: int = Field(300_000, ge=1, description="The most frequent n-grams are kept, at most so many.")

    @model_validator(mode="after")
    def _ordered(self) -> Ngrams:
        if self.shortest > self.longest:
            raise ValueError(f"shortest ({self.shortest}) is more than longest ({self.longest})")
        return self


class Tokens(Section):
    """Token ids, for transformers."""

    kind: Literal["tokens"]
    tokenizer: str = Field(
        "corpus", min_length=1, description="corpus, or a checkpoint: a folder, its name on a hub, or builtin:NAME."
    )
    revision: str | None = Field(None, description="The hub's revision: a commit hash, tag or branch.")
    vocabulary: int = Field(8000, ge=100, description="Entries of a vocabulary made from the corpus, at most.")
    max_tokens: int = Field(256, ge=8, description="Tokens of a row, special ones included; the rest is cut.")
    keep: Keep = Field("head_tail", description="What is kept of a longer text; windows: overlapping parts of it.")
    stride: int | None = Field(
        None, ge=1, description="Tokens from one window's start to the next; null: half a window."
    )
    most_windows: int = Field(16, ge=1, description="Windows of a text, at most; what lies behind them is cut.")
    pool: Pool = Field(
        "mean", description="How the logits of a text's windows become one: their mean or their maximum."
    )

    @model_validator(mode="after")
    def _no_revision_of_corpus(self) -> Tokens:
        if self.tokenizer == "corpus" and self.revision is not None:
            raise ValueError("revision is for checkpoints; the tokenizer 'corpus' has none")
        return self

    @model_validator(mode="after")
    def _no_gaps(self) -> Tokens:
        if self.stride is not None and self.stride > self.max_tokens - 4:  # room for special tokens
            raise ValueError(f"a stride of {self.stride} leaves gaps between windows of {self.max_tokens} tokens")
        return self


EncoderOptions = Annotated[Ngrams | Tokens, Field(discriminator="kind")]
