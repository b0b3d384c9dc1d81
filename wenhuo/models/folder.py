"""A model's folder: what may be in it, and the card that says how a text becomes a prediction.

``wenhuo.json`` is the card; beside it stand safetensors weights and the encoder's files. A folder with anything else
(a pickle, Python code, a configuration that asks for foreign code) is refused before any of it is read.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import Field, ValidationError
from safetensors import safe_open

from wenhuo.encoding.options import EncoderOptions
from wenhuo.errors import ModelError
from wenhuo.models.heads import AnyHead
from wenhuo.models.tuning import AnyAdapter
from wenhuo.refusing import refuse_foreign
from wenhuo.settings import Section
from wenhuo.text.cleaning import Cleaning

CARD = "wenhuo.json"
REFERENCE = "backbone.json"
"""Says where the backbone is found, in the folder of a model that has no copy of it."""


class Card(Section):
    """What a model folder says of itself."""

    format: Literal[1] = 1
    kind: Literal["linear", "transformer"]
    labels: list[str] = Field(min_length=2, description="Class names; position is the class id.")
    cleaning: Cleaning = Field(description="How texts were normalised before training; done again before predicting.")
    encoder: EncoderOptions
    head: AnyHead | None = Field(None, description="The transformer's head.")
    adapter: AnyAdapter | None = Field(None, description="The adapter beside the backbone; none when it was merged.")
    parameters: dict[str, int] | None = Field(None, description="How many there are, and how many were trained.")
    backbone: str | None = Field(None, description="'scratch', or the checkpoint it was tuned from.")
    backbone_commit: str | None = Field(None, description="The checkpoint's commit on its hub, or its content's hash.")
    trained_on: dict[str, Any] = Field(description="Source, rows and hash of each split.")
    temperature: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="What log-probabilities are divided by; 1: nothing is changed."
    )
    abstain_below: float | None = Field(
        None, ge=0, le=1, description="The highest probability below which the model gives no label; null: never."
    )
    abstain_for: float | None = Field(
        None, gt=0, lt=1, description="The accuracy that answers were to have; null: nothing was asked for."
    )


def read_card(folder: Path) -> Card:
    """Inspect a folder and read its card.

    Raises:
        ModelError: there is no card, it is of another format, or the folder holds what is not allowed.
    """
    if not folder.is_dir():
        raise ModelError(
            f"there is no model folder {folder}", "give the folder of a trained model, such as models/linear"
        )
    refuse_foreign(folder)
    try:
        return Card.model_validate(orjson.loads((folder / CARD).read_bytes()))
    except FileNotFoundError:
        raise ModelError(f"{folder} holds no {CARD}", "give the folder of a model that wenhuo trained") from None
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise ModelError(
            f"{folder / CARD} does not fit this version of wenhuo: {_first_line(error)}", "train again"
        ) from None


def count_parameters(folder: Path, card: Card) -> dict[str, int] | None:
    """How many parameters a model has (``all``) and how many of them were trained; None where that was not kept.

    Args:
        folder: the model's.
        card: what :func:`read_card` read there. A linear model's are counted in its weights, all of which are trained.
    """
    weights = folder / "linear.safetensors"
    if card.parameters is not None or not weights.exists():
        return card.parameters
    with safe_open(weights, framework="numpy") as file:
        shapes = [file.get_slice(name).get_shape() for name in ("weights", "bias")]
    total = sum(math.prod(shape) for shape in shapes)
    return {"all": total, "trained": total}


def _first_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()[:3])
