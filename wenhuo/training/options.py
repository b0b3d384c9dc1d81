"""What may be chosen about a candidate; the entries of ``train.candidates`` in ``params.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wenhuo.encoding.options import EncoderOptions, Tokens
from wenhuo.models.heads import AnyHead, Mean, Shape
from wenhuo.models.tuning import Adapter, AnyTuning, Full, HeadOnly
from wenhuo.settings import Section

Calibrate = Literal["temperature", "none"]
CALIBRATE = "temperature: one number, fitted on validation, makes all probabilities less sure or surer."
ABSTAIN = "The accuracy that answers are to have; what the model is less sure of gets none. null: all is answered."


class LinearCandidate(Section):
    """A linear model on n-gram weights: the baseline that a transformer must beat."""

    kind: Literal["linear"]
    encoder: str = Field(description="An entry of encode.encoders of kind ngrams.")
    estimator: Literal["svm", "logistic"] = Field("svm", description="Linear SVM, or logistic regression.")
    c: float = Field(0.5, gt=0, description="Inverse strength of the regularisation.")
    folds: int = Field(5, ge=2, description="Folds of the cross-validation that calibrates the SVM's probabilities.")
    calibrate: Calibrate = Field("temperature", description=CALIBRATE)
    abstain: float | None = Field(None, gt=0, lt=1, description=ABSTAIN)


class Objective(Section):
    """What a transformer's training minimises; the parts can be combined."""

    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        None, description="Weight of each label's rows, or balanced: rare labels count as much as frequent ones."
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of the target spread over all classes.")
    focal: float = Field(0.0, ge=0, description="Focal loss's gamma: sure rows count less; 0 is cross-entropy.")
    r_drop: float = Field(
        0.0, ge=0, description="R-Drop's alpha: two passes under two dropouts must agree; 0: one pass."
    )
    fgm: float = Field(0.0, ge=0, description="Size of an adversarial step on the embeddings of each row; 0: none.")


class TransformerCandidate(Section):
    """A transformer, from nothing or from a checkpoint."""

    kind: Literal["transformer"]
    encoder: str = Field(description="An entry of encode.encoders of kind tokens.")
    backbone: Literal["scratch", "checkpoint"] = Field(
        "scratch", description="From nothing, or from the checkpoint that the encoder's tokenizer comes from."
    )
    layers: int = Field(4, ge=1, description="Layers of a backbone from nothing.")
    hidden: int = Field(256, ge=8, description="Its width.")
    heads: int = Field(4, ge=1, description="Its attention heads; they divide the width.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of a backbone from nothing and of the head.")
    head: AnyHead = Field(Mean(kind="mean"), description="How the states of a row become one vector.")
    tune: AnyTuning = Field(Full(kind="full"), description="What is trained: all, the head, some layers, an adapter.")
    backbone_files: Literal["copy", "reference"] = Field(
        "copy", description="reference: a frozen checkpoint is named in the model's folder instead of copied into it."
    )
    objective: Objective = Field(Objective(), description="What the training minimises.")
    epochs: int = Field(3, ge=1, description="Passes over the train rows, at most.")
    batch_size: int | None = Field(32, ge=1, description="Rows in a step; null where batch_tokens is given.")
    batch_tokens: int | None = Field(None, ge=8, description="Tokens in a step, padding included, instead of rows.")
    learning_rate: float = Field(5e-5, gt=0, description="At the end of the warm-up; it then follows the schedule.")
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="A layer's learning rate as a share of that of the one above."
    )
    optimizer: Literal["adamw", "sgd", "adafactor"] = Field("adamw", description="Turns gradients into steps.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Of sgd.")
    schedule: Literal["linear", "cosine", "constant"] = Field("linear", description="The rate after the warm-up.")
    weight_decay: float = Field(0.01, ge=0, description="Not of biases and norms.")
    warmup: float = Field(0.1, ge=0, le=1, description="Share of the steps in which the learning rate rises.")
    clip: float = Field(1.0, gt=0, description="Largest norm of a step's gradient.")
    tokens_at_once: int | None = Field(
        None, ge=1, description="Tokens, with padding, in memory at once; a batch of more goes in parts. null: whole."
    )
    parallel: Literal["ddp", "fsdp"] = Field(
        "ddp", description="On several devices: each holds the whole network, or (fsdp) a part of every weight."
    )
    gradient_checkpointing: bool = Field(
        False, description="Keep only the layers' inputs and compute the rest again: less memory, a third more time."
    )
    patience: int = Field(2, ge=1, description="Epochs without a better validation macro-F1 after which it ends.")
    log_steps: int = Field(10, ge=1, description="Steps behind each point of the train loss curve.")
    checkpoint_seconds: float = Field(30, ge=0, description="A killed run loses about this many seconds at most.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="bfloat16 makes matrix products faster; auto uses it on GPUs that have it."
    )
    calibrate: Calibrate = Field("temperature", description=CALIBRATE)
    abstain: float | None = Field(None, gt=0, lt=1, description=ABSTAIN)

    @model_validator(mode="after")
    def _heads_divide(self) -> TransformerCandidate:
        if self.hidden % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide hidden ({self.hidden})")
        return self

    @model_validator(mode="after")
    def _layers_suffice(self) -> TransformerCandidate:
        reads = self.head.states(Shape(self.hidden, self.layers + 1))
        if self.backbone == "scratch" and reads > self.layers + 1:
            raise ValueError(f"head reads {reads} layers, but the backbone has {self.layers}")
        return self

    @model_validator(mode="after")
    def _one_size(self) -> TransformerCandidate:
        if (self.batch_size is None) == (self.batch_tokens is None):
            raise ValueError("give batch_size or batch_tokens, and null for the other")
        return self

    @model_validator(mode="after")
    def _can_be_sharded(self) -> TransformerCandidate:
        if self.parallel == "fsdp" and self.tune.kind in {"head", "adalora"}:
            raise ValueError(f"parallel: fsdp does not go with tune: {self.tune.kind}, choose ddp")
        if self.parallel == "fsdp" and self.optimizer == "adafactor":
            raise ValueError("parallel: fsdp does not go with optimizer: adafactor, choose adamw or sgd")
        return self

    @model_validator(mode="after")
    def _fits_what_is_tuned(self) -> TransformerCandidate:
        frozen = isinstance(self.tune, HeadOnly | Adapter)
        if self.backbone_files == "reference" and not (frozen and self.backbone == "checkpoint"):
            raise ValueError("backbone_files: reference needs backbone: checkpoint, and tune: head or an adapter")
        if self.backbone_files == "reference" and isinstance(self.tune, Adapter) and self.tune.merge:
            raise ValueError("a merged adapter changes the backbone, so backbone_files must be copy")
        if self.objective.fgm and isinstance(self.tune, HeadOnly):
            raise ValueError("objective.fgm moves the embeddings, which tune: head computes once and never again")
        return self


Candidate = Annotated[LinearCandidate | TransformerCandidate, Field(discriminator="kind")]


def disagreement(candidate: Candidate, encoders: Mapping[str, EncoderOptions]) -> str | None:
    """What a candidate asks of its encoder and does not get: the parameter and a sentence; None when all is well."""
    encoder = encoders.get(candidate.encoder)
    if encoder is None:
        return f"encoder: there is no {candidate.encoder!r} in encode.encoders ({', '.join(encoders)})"
    wanted = "ngrams" if isinstance(candidate, LinearCandidate) else "tokens"
    if encoder.kind != wanted:
        return f"encoder: {candidate.encoder!r} is of kind {encoder.kind}, a {candidate.kind} needs {wanted}"
    from_corpus = isinstance(encoder, Tokens) and encoder.tokenizer == "corpus"
    if isinstance(candidate, TransformerCandidate) and candidate.backbone == "checkpoint" and from_corpus:
        return f"backbone: the encoder {candidate.encoder!r} comes from no checkpoint; set its tokenizer to one"
    return None
