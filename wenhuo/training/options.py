"""What may be chosen about a candidate; the entries of ``train.candidates`` in ``params.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from wenhuo.models.heads import AnyHead, Mean, Shape
from wenhuo.settings import Section


class LinearCandidate(Section):
    """A linear model on n-gram weights: the baseline that a transformer must beat."""

    kind: Literal["linear"]
    encoder: str = Field(description="An entry of encode.encoders of kind ngrams.")
    estimator: Literal["svm", "logistic"] = Field("svm", description="Linear SVM, or logistic regression.")
    c: float = Field(0.5, gt=0, description="Inverse strength of the regularisation.")
    folds: int = Field(5, ge=2, description="Folds of the cross-validation that calibrates the SVM's probabilities.")


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
    epochs: int = Field(3, ge=1, description="Passes over the train rows, at most.")
    batch_size: int = Field(32, ge=1, description="Rows in a step.")
    learning_rate: float = Field(5e-5, gt=0, description="At the end of the warm-up; it then falls linearly to 0.")
    weight_decay: float = Field(0.01, ge=0, description="Of AdamW; not on biases and norms.")
    warmup: float = Field(0.1, ge=0, le=1, description="Share of the steps in which the learning rate rises.")
    clip: float = Field(1.0, gt=0, description="Largest norm of a step's gradient.")
    patience: int = Field(2, ge=1, description="Epochs without a better validation macro-F1 after which it ends.")
    log_steps: int = Field(10, ge=1, description="Steps behind each point of the train loss curve.")
    checkpoint_seconds: float = Field(30, ge=0, description="A killed run loses about this many seconds at most.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="bfloat16 makes matrix products faster; auto uses it on GPUs that have it."
    )

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


Candidate = Annotated[LinearCandidate | TransformerCandidate, Field(discriminator="kind")]
