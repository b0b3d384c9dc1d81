"""train: one candidate, from encoded rows to a model folder.

A killed training goes on from its last checkpoint under `data/checkpoints/`, which is kept apart by the stage's key (a
hash of command, parameters and inputs), so that nothing stale is ever resumed. Curves appear in MLflow as they come.
On several devices it is one process each, started here or by torchrun: docs/several-devices.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from tasks.encode import Params as Encode
from wenhuo.settings import check_names
from wenhuo.training.launching import Processes
from wenhuo.training.options import Candidate, LinearCandidate, disagreement

if TYPE_CHECKING:
    from wenhuo.lineage import Identity

CHECKPOINTS = Path("data/checkpoints")


class Params(Processes):
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
    from wenhuo.training import launching

    options = params.candidates[name]
    if isinstance(options, LinearCandidate):
        if not launching.helps():
            _train(options, params.seed, _identity(name), encoded, model, history)
        return
    arguments = {"--name": name, "--encoded": encoded, "--model": model, "--history": history}
    command = ["tasks", "train", *(str(word) for pair in arguments.items() for word in pair)]
    if launching.run_in_processes(command, params.devices, params.launcher):
        return
    from wenhuo.training import candidate, joining, processes

    with joining.joined():
        identity = processes.from_first(lambda: _identity(name))
        checkpoints = CHECKPOINTS / identity.key
        if processes.first():
            _train(options, params.seed, identity, encoded, model, history)
        else:
            candidate.train_transformer(options, params.seed, encoded, model, checkpoints, lambda points: None)
        if processes.first_here():
            candidate.forget(checkpoints)


def _identity(name: str) -> Identity:
    from wenhuo import lineage

    return lineage.identify(f"train@{name}")


def _train(options: Candidate, seed: int, identity: Identity, encoded: Path, model: Path, history: Path) -> None:
    """Train, and write model and curves; of several processes the first one does this."""
    from wenhuo.encoding.corpus import read_card
    from wenhuo.files import whole
    from wenhuo.tracking.candidates import Candidate as Tracked
    from wenhuo.tracking.candidates import LiveRun
    from wenhuo.training import candidate
    from wenhuo.training import history as curves

    card, name = read_card(encoded), identity.stage.partition("@")[2]
    known = Tracked(identity, name, candidate.parameters(options, seed, card), card["dataset"])
    with LiveRun(known) as live, whole(model) as folder:
        folder.mkdir()
        if isinstance(options, LinearCandidate):
            points = candidate.train_linear(options, seed, encoded, folder)
            live.log(points)
        else:
            points = candidate.train_transformer(options, seed, encoded, folder, CHECKPOINTS / identity.key, live.log)
    curves.write(history, points)
