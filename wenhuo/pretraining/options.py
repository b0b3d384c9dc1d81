"""What may be chosen about a pretraining; the entries of ``pretrain.backbones`` in ``params.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from wenhuo.settings import Section

SCRATCH = "scratch"
LIMITS = ("epochs", "tokens", "steps")


class Pretraining(Section):
    """A backbone that is pretrained on text without labels.

    By masked language modelling (Devlin et al. 2019) or by replaced-token detection (ELECTRA, Clark et al. 2020).
    """

    text: list[str] = Field(
        [], description="Files without labels, or globs: plain text, a paragraph a line, packed (.gz, .xz, …) or not."
    )
    own_text: int = Field(
        1, ge=0, le=100, description="How often the corpus's own train texts stand in a pass over the text; 0: not."
    )
    closest: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of the files' lines that is kept, the most like the train texts; null: all.",
    )
    min_characters: int = Field(4, ge=1, description="Shorter lines of the files are left out.")
    start: str = Field(
        SCRATCH,
        min_length=1,
        description="scratch, or the checkpoint to go on from: a folder, its name on a hub, or builtin:NAME.",
    )
    revision: str | None = Field(None, description="The hub's revision: a commit hash, tag or branch.")
    objective: Literal["masked", "replaced"] = Field(
        "masked",
        description="What it learns: to guess hidden tokens, or to tell which ones a small generator has replaced.",
    )
    generator: float = Field(
        0.25, gt=0, le=1, description="Width of the generator of replaced, as a share of the backbone's."
    )
    detection: float = Field(50.0, gt=0, description="Weight of replaced's loss of detection, the generator's being 1.")
    vocabulary: int = Field(8000, ge=100, description="Entries of a vocabulary made from the text, at most.")
    layers: int = Field(4, ge=1, description="Layers of a backbone from scratch.")
    hidden: int = Field(256, ge=8, description="Its width.")
    heads: int = Field(4, ge=1, description="Its attention heads; they divide the width.")
    embedding: int | None = Field(
        None, ge=8, description="Width of the embeddings, for objective: replaced; null: that of the backbone."
    )
    inner: int | None = Field(
        None, ge=8, description="Width inside its feed-forward parts; null: four times the width."
    )
    positions: int = Field(512, ge=8, description="The longest row that it will ever take, in tokens.")
    begin: Literal["counts", "random"] = Field(
        "counts", description="How its embeddings begin: from what stands near what in the text, or at random."
    )
    max_tokens: int = Field(
        128, ge=8, description="Tokens of a row while it is pretrained; a longer text is cut into several rows."
    )
    join: bool = Field(
        False,
        description="Whether short texts that follow each other share a row, so that rows are of all lengths.",
    )
    whole_words: bool = Field(
        True,
        description="Whether the characters of a word are hidden together (segmented by jieba), or each by itself.",
    )
    mask: float = Field(0.15, gt=0, lt=1, description="Share of the tokens that is hidden and guessed.")
    sentences: Literal["none", "next", "order"] = Field(
        "none", description="A second task: does this part follow that one (next), or are the two swapped (order)?"
    )
    epochs: float | None = Field(None, gt=0, description="It ends after so many passes over the text,")
    tokens: int | None = Field(None, ge=1, description="or after so many tokens, special ones included,")
    steps: int | None = Field(
        None, ge=1, description="or after so many steps. A limit in minutes would not be repeatable."
    )
    batch_tokens: int = Field(4096, ge=16, description="Tokens in a step, padding included.")
    tokens_at_once: int | None = Field(
        None, ge=16, description="Tokens, with padding, in memory at once; a batch of more goes in parts. null: whole."
    )
    learning_rate: float = Field(1e-3, gt=0, description="At the end of the warm-up; it then falls to 0.")
    schedule: Literal["linear", "cosine"] = Field("linear", description="How it falls.")
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the course in which the learning rate rises.")
    weight_decay: float = Field(0.01, ge=0, description="Not of biases and norms.")
    clip: float = Field(1.0, gt=0, description="Largest norm of a step's gradient.")
    dropout: float = Field(0.0, ge=0, lt=1, description="While it is pretrained; text is plenty, so none is needed.")
    held_out_tokens: int = Field(
        50_000, ge=0, description="Tokens held out to measure loss and accuracy on, but at most a twentieth of all."
    )
    measurements: int = Field(20, ge=1, description="How often that is done.")
    log_steps: int = Field(20, ge=1, description="Steps behind each point of the train loss curve.")
    checkpoint_seconds: float = Field(60, ge=0, description="A killed run loses about this many seconds at most.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto takes bfloat16 where the hardware multiplies matrices of it."
    )

    @model_validator(mode="after")
    def _some_text(self) -> Pretraining:
        if not self.text and not self.own_text:
            raise ValueError("there is no text: give files in text, or own_text: 1")
        return self

    @model_validator(mode="after")
    def _one_limit(self) -> Pretraining:
        given = [name for name in LIMITS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(LIMITS)}, so that it ends" + (f", not {given}" if given else ""))
        return self

    @model_validator(mode="after")
    def _fits_the_objective(self) -> Pretraining:
        if self.objective == "replaced" and self.sentences != "none":
            raise ValueError(f"sentences: {self.sentences} is for objective: masked; replaced has no second task")
        if self.join and self.sentences != "none":
            raise ValueError(f"sentences: {self.sentences} cuts rows in two, so each must be one text: join: false")
        if self.objective == "masked" and self.embedding is not None:
            raise ValueError("embedding is for objective: replaced; the embeddings of a BERT are as wide as its layers")
        if self.embedding is not None and not self.hidden // self.heads <= self.embedding <= self.hidden:
            raise ValueError(f"embedding ({self.embedding}) must be from hidden / heads to hidden ({self.hidden})")
        return self

    @model_validator(mode="after")
    def _shape(self) -> Pretraining:
        if self.hidden % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide hidden ({self.hidden})")
        if self.start == SCRATCH and self.max_tokens > self.positions:
            raise ValueError(f"max_tokens ({self.max_tokens}) is more than positions ({self.positions})")
        if self.batch_tokens < self.max_tokens:
            raise ValueError(f"batch_tokens ({self.batch_tokens}) is less than max_tokens ({self.max_tokens})")
        if self.start == SCRATCH and self.revision is not None:
            raise ValueError("revision is for checkpoints; scratch has none")
        return self
