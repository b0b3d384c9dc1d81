"""What of a network is trained; the values of ``tune`` in ``params.yaml``. Importing this imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from wenhuo.models.heads import named
from wenhuo.settings import Section


class Full(Section):
    """Every weight."""

    kind: Literal["full"]


class HeadOnly(Section):
    """The head on a frozen backbone, whose features are computed once and kept; no dropout inside the backbone."""

    kind: Literal["head"]


class LastLayers(Section):
    """The head and the last layers; the embeddings and the other layers stay as they are."""

    kind: Literal["last"]
    layers: int = Field(2, ge=1, description="How many of the last layers are trained.")


class BitFit(Section):
    """The head and the backbone's biases (Ben Zaken et al. 2022)."""

    kind: Literal["bitfit"]


class Adapter(Section):
    """Weights beside the backbone's, by peft; the backbone stays as it is."""

    targets: tuple[str, ...] | None = Field(
        None, min_length=1, description="Endings of the names of the adapted layers; null: see each kind."
    )
    merge: bool = Field(False, description="Add the adapter to the backbone's weights when the model is saved.")


class Lora(Adapter):
    """A product of two thin matrices beside each linear layer (Hu et al. 2022); null adapts all of them."""

    kind: Literal["lora"]
    rank: int = Field(8, ge=1, description="Width of the thin matrices.")
    alpha: float = Field(16, gt=0, description="The product counts alpha / rank times.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout of what goes into the product.")


class AdaLora(Adapter):
    """LoRA that takes rank away where it matters least while it trains (Zhang et al. 2023); null adapts all layers."""

    kind: Literal["adalora"]
    start_rank: int = Field(12, ge=1, description="Rank of every layer in the beginning.")
    rank: int = Field(8, ge=1, description="Mean rank of the layers in the end.")
    alpha: float = Field(16, gt=0, description="The product counts alpha / start_rank times.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout of what goes into the product.")
    hold: float = Field(0.1, ge=0, lt=1, description="Share of the steps before ranks are taken away.")
    settle: float = Field(0.3, ge=0, lt=1, description="Share of the steps, the last ones, in which ranks stay.")
    every: int = Field(1, ge=1, description="Steps between two decisions about ranks.")
    orthogonality: float = Field(0.5, ge=0, description="Weight of the penalty that keeps the factors orthogonal.")

    @model_validator(mode="after")
    def _ordered(self) -> AdaLora:
        if self.rank >= self.start_rank:
            raise ValueError(f"rank ({self.rank}) must be less than start_rank ({self.start_rank})")
        if self.hold + self.settle >= 1:
            raise ValueError(f"hold and settle ({self.hold} + {self.settle}) leave no steps to take ranks away")
        return self


class Ia3(Adapter):
    """A factor for each key, value and inner dimension (Liu et al. 2022); null finds them in known backbones."""

    kind: Literal["ia3"]
    feedforward: tuple[str, ...] | None = Field(
        None, description="Which of the targets are the feed-forward layers whose input is scaled; needed with targets."
    )

    @model_validator(mode="after")
    def _both(self) -> Ia3:
        if (self.targets is None) != (self.feedforward is None):
            raise ValueError("targets and feedforward are given together, or neither")
        return self


AnyAdapter = Annotated[Lora | AdaLora | Ia3, Field(discriminator="kind")]
AnyTuning = Annotated[
    Full | HeadOnly | LastLayers | BitFit | Lora | AdaLora | Ia3, Field(discriminator="kind"), BeforeValidator(named)
]
