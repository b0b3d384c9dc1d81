"""blend: one candidate of several trained ones, whose probabilities it blends.

Each member is asked about validation, as `evaluate` asks it; a weight for each of them is fitted by log loss. The model
folder holds the members' folders, so that a blend is measured, served and registered as any other candidate
(docs/candidates.md). With `candidates: {}` there is no such stage.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from tasks.train import Params as Train
from wenhuo.blending import options
from wenhuo.blending.options import Blend
from wenhuo.settings import Section, check_names


class Params(Section):
    """The section ``blend``."""

    candidates: dict[str, Blend] = Field({}, description="What is blended, by name; beside train.candidates.")

    _names = field_validator("candidates")(check_names)


def disagreements(params: Params, train: Train) -> list[str]:
    """What the blends ask of the trained candidates and these do not give, a sentence each."""
    found = options.disagreements(params.candidates, train.candidates)
    return [f"blend.candidates.{sentence}" for sentence in found]


def run(params: Params, *, name: str, models: Path, parts: Path, model: Path, history: Path) -> None:
    """Blend what the candidate ``name`` is made of; write ``model`` (a folder) and ``history`` (CSV).

    Raises:
        ModelError: a member is missing, damaged or refused.
        DataError: validation has no rows.
    """
    from wenhuo import lineage
    from wenhuo.blending import making
    from wenhuo.files import read_json, whole
    from wenhuo.tracking.candidates import Candidate, LiveRun
    from wenhuo.training import history as curves

    chosen, dataset = params.candidates[name], read_json(parts / "dataset.json")
    fitted = making.fit(chosen, models, parts / "validation.parquet", dataset["labels"])
    told = making.parameters(chosen, fitted.weights)
    with LiveRun(Candidate(lineage.identify(f"blend@{name}"), name, told, dataset)) as live, whole(model) as folder:
        folder.mkdir()
        making.write(fitted, models, dataset, folder)
        live.log(fitted.points)
    curves.write(history, fitted.points)
