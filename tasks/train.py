"""train: one candidate, from encoded rows to a model folder.

A killed training goes on from its last checkpoint under `data/checkpoints/`, which is kept apart by the stage's key (a
hash of command, parameters and inputs), so that nothing stale is ever resumed. Curves appear in MLflow as they come.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from tasks.encode import Params as Encode
from wenhuo.encoding.options import Tokens
from wenhuo.settings import Section, check_names
from wenhuo.training.options import Candidate, LinearCandidate, TransformerCandidate

CHECKPOINTS = Path("data/checkpoints")


class Params(Section):
    """The section ``train``."""

    seed: int = Field(13, ge=0, description="Seed of every random choice in training.")
    candidates: dict[str, Candidate] = Field(min_length=1, description="What is trained and compared, by name.")

    _names = field_validator("candidates")(check_names)


def disagreements(params: Params, encode: Encode) -> list[str]:
    """What the candidates ask of the encoders and these do not give, a sentence each."""
    found = [_disagreement(name, candidate, encode) for name, candidate in params.candidates.items()]
    return [f"train.candidates.{sentence}" for sentence in found if sentence]


def _disagreement(name: str, candidate: Candidate, encode: Encode) -> str | None:
    encoder = encode.encoders.get(candidate.encoder)
    if encoder is None:
        return f"{name}.encoder: there is no {candidate.encoder!r} in encode.encoders ({', '.join(encode.encoders)})"
    wanted = "ngrams" if isinstance(candidate, LinearCandidate) else "tokens"
    if encoder.kind != wanted:
        return f"{name}.encoder: {candidate.encoder!r} is of kind {encoder.kind}, a {candidate.kind} needs {wanted}"
    from_corpus = isinstance(encoder, Tokens) and encoder.tokenizer == "corpus"
    if isinstance(candidate, TransformerCandidate) and candidate.backbone == "checkpoint" and from_corpus:
        return f"{name}.backbone: the encoder {candidate.encoder!r} comes from no checkpoint; set its tokenizer to one"
    return None


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
