"""train: one candidate, from encoded rows to a model folder.

A killed training goes on from its last checkpoint under `data/checkpoints/`, which is kept apart by the stage's key (a
hash of command, parameters and inputs), so that nothing stale is ever resumed. Curves appear in MLflow as they come.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from tasks.encode import Params as Encode
from wenhuo.settings import Section, check_names
from wenhuo.training.options import Candidate, LinearCandidate, disagreement

CHECKPOINTS = Path("data/checkpoints")


class Params(Section):
    """The section ``train``."""

    seed: int = Field(13, ge=0, description="Seed of every random choice in training.")
    candidates: dict[str, Candidate] = Field(min_length=1, description="What is trained and compared, by name.")

    _names = field_validator("candidates")(check_names)


def disagreements(params: Params, encode: Encode) -> list[str]:
    """What the candidates ask of the encoders and these do not give, a sentence each."""
    found = {name: disagreement(candidate, encode.encoders) for name, candidate in params.candidates.items()}
    return [f"train.candidates.{name}.{sentence}" for name, sentence in found.items() if sentence]


def run(params: Params, *, name: str, encoded: Path, model: Path, history: Path) -> None:
    """Train the candidate ``name`` on ``encoded``; write ``model`` (a folder) and ``history`` (CSV)."""
    from wenhuo import lineage
    from wenhuo.encoding.corpus import read_card
    from wenhuo.files import whole
    from wenhuo.tracking.candidates import Candidate as Tracked
    from wenhuo.tracking.candidates import LiveRun
    from wenhuo.training import candidate
    from wenhuo.training import history as curves

    options = params.candidates[name]
    identity = lineage.identify(f"train@{name}")
    card = read_card(encoded)
    known = Tracked(identity, name, candidate.parameters(options, params.seed, card), card["dataset"])
    with LiveRun(known) as live, whole(model) as folder:
        folder.mkdir()
        if isinstance(options, LinearCandidate):
            points = candidate.train_linear(options, params.seed, encoded, folder)
            live.log(points)
        else:
            checkpoints = CHECKPOINTS / identity.key
            points = candidate.train_transformer(options, params.seed, encoded, folder, checkpoints, live.log)
    curves.write(history, points)
    candidate.forget(CHECKPOINTS / identity.key)
