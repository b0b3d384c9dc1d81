"""A model's folder: what may be in it, and the card that says how a text becomes a prediction.

``wenhuo.json`` is the card; beside it stand safetensors weights and the encoder's files, or, of a blend, the folders of
its members. A folder with anything else (a pickle, Python code, a configuration that asks for foreign code) is refused
before any of it is read.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, ValidationError, field_validator, model_validator
from safetensors import safe_open

from wenhuo.encoding.options import EncoderOptions
from wenhuo.errors import ModelError
from wenhuo.models.heads import AnyHead
from wenhuo.models.tuning import AnyAdapter
from wenhuo.refusing import refuse_foreign
from wenhuo.settings import Section, check_names
from wenhuo.text.cleaning import Cleaning

CARD = "wenhuo.json"
REFERENCE = "backbone.json"
"""Says where the backbone is found, in the folder of a model that has no copy of it."""
MEMBERS = "members"
"""Where a blend's folder holds its members', each under its name."""


class Card(Section):
    """What a model folder says of itself."""

    format: Literal[1] = 1
    kind: Literal["linear", "transformer", "blend"]
    labels: list[str] = Field(min_length=2, description="Class names; position is the class id.")
    cleaning: Cleaning = Field(description="How texts were normalised before training; done again before predicting.")
    encoder: EncoderOptions | None = Field(
        None, description="How texts become numbers; a blend's members have one each."
    )
    members: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = Field(
        None, description="Of a blend: its members' weights by name."
    )
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

    @field_validator("members")
    @classmethod
    def _named(cls, value: dict[str, float] | None) -> dict[str, float] | None:
        return None if value is None else check_names(value)  # they are parts of paths

    @model_validator(mode="after")
    def _of_its_kind(self) -> Card:
        if self.kind == "blend":
            if self.encoder is not None or len(self.members or ()) < 2:
                raise ValueError("a blend has two members or more, and no encoder of its own")
        elif self.encoder is None or self.members is not None:
            raise ValueError(f"a {self.kind} has an encoder, and no members")
        return self


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
    card = _parsed(folder)
    if card.members is not None:
        _check_members(folder, card)
    return card


def member_cards(folder: Path, card: Card) -> dict[Path, Card]:
    """The folders of a blend's members and what they say of themselves, in the order of its card; else none.

    Args:
        folder: the model's.
        card: what :func:`read_card` read there.
    """
    return {place: _parsed(place) for place in (folder / MEMBERS / name for name in card.members or ())}


def _parsed(folder: Path) -> Card:
    try:
        return Card.model_validate(orjson.loads((folder / CARD).read_bytes()))
    except FileNotFoundError:
        raise ModelError(f"{folder} holds no {CARD}", "give the folder of a model that wenhuo trained") from None
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise ModelError(
            f"{folder / CARD} does not fit this version of wenhuo: {_first_line(error)}", "train again"
        ) from None


def _check_members(folder: Path, card: Card) -> None:
    """Stop at members that are not those of the card, are blends themselves, or read or answer otherwise than it."""
    found = {path.name for path in (folder / MEMBERS).glob("*")}
    if found != set(card.members or ()):
        apart = ", ".join(sorted(found ^ set(card.members or ())))
        what = f"{folder} is refused: its card and its folder {MEMBERS} name different members ({apart})"
        raise ModelError(what, "restore it with `dvc checkout`")
    for place, member in member_cards(folder, card).items():
        if member.kind == "blend":
            raise ModelError(f"{place} is refused: a blend's member is no blend", "blend what it is made of")
        if (member.labels, member.cleaning) != (card.labels, card.cleaning):
            what = f"{place} does not fit its blend: they have other labels, or clean texts otherwise"
            raise ModelError(what, "restore it with `dvc checkout`, or train again")


def count_parameters(folder: Path, card: Card) -> dict[str, int] | None:
    """How many parameters a model has (``all``) and how many of them were trained; None where that was not kept.

    Args:
        folder: the model's.
        card: what :func:`read_card` read there. A linear model's are counted in its weights, all of which are trained;
            a blend has those of its members.
    """
    if card.members is not None:
        counted = [count_parameters(place, member) for place, member in member_cards(folder, card).items()]
        known = [one for one in counted if one is not None]
        return {name: sum(one[name] for one in known) for name in known[0]} if len(known) == len(counted) else None
    weights = folder / "linear.safetensors"
    if card.parameters is not None or not weights.exists():
        return card.parameters
    with safe_open(weights, framework="numpy") as file:
        shapes = [file.get_slice(name).get_shape() for name in ("weights", "bias")]
    total = sum(math.prod(shape) for shape in shapes)
    return {"all": total, "trained": total}


def _first_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()[:3])
