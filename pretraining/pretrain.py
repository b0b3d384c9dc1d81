"""Pretrain the network on the prepared text, by the code of the graph's own stage `pretrain`.

A killed run goes on from its last checkpoint under `data/checkpoints/` and ends in the same bytes. Curves appear in the
project's MLflow as they come.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from wenhuo.pretraining.options import Pretraining
from wenhuo.training.launching import Processes

if TYPE_CHECKING:
    from wenhuo.lineage import Identity
    from wenhuo.training.history import Point

CHECKPOINTS = Path("data/checkpoints")
PROJECT = Path("..")
"""The project's folder, where its MLflow keeps its runs."""


class Params(Processes):
    """The section ``pretrain``."""

    seed: int = Field(13, ge=0, description="Seed of every random choice.")
    course: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [], description="Shares of the whole after which the network as it is then is kept, to be measured later."
    )
    network: Pretraining = Field(description="What is pretrained, and how; the options of pretrain.backbones.")

    @field_validator("network")
    @classmethod
    def _without_a_corpus(cls, network: Pretraining) -> Pretraining:
        if network.text or network.closest is not None:
            raise ValueError("text and closest are not given here: the text is that of the section texts, all of it")
        return network


def options_of(params: Params, lines: Path) -> Pretraining:
    """The network's options with the text that was held apart."""
    return params.network.model_copy(update={"text": [lines.as_posix()], "own_text": 0})


def run(
    params: Params, *, lines: Path, prepared: Path, report: Path, backbone: Path, course: Path, history: Path
) -> None:
    """Pretrain.

    Args:
        params: the section ``pretrain``.
        lines: the text.
        prepared: its rows.
        report: what was held out of it.
        backbone: a folder that AutoModel loads.
        course: a folder of such folders, named by the share of the whole after which they were kept.
        history: CSV: the curves.
    """
    from wenhuo.training.launching import run_in_processes

    paths = {"lines": lines, "prepared": prepared, "report": report, "backbone": backbone}
    paths |= {"course": course, "history": history}
    command = ["pretraining", "pretrain", *(word for name, path in paths.items() for word in (f"--{name}", str(path)))]
    if run_in_processes(command, params.devices, params.launcher, "pretrain"):
        return
    from wenhuo.files import read_json
    from wenhuo.pretraining.pretrain import COURSE, learn
    from wenhuo.training.history import write
    from wenhuo.training.joining import joined
    from wenhuo.training.processes import first, from_first

    options, about = options_of(params, lines), read_json(report)
    with joined():
        identity = from_first(_identity)
        work = CHECKPOINTS / identity.key
        if first():
            points = _pretrain(params, options, identity, prepared, about, backbone)
            write(history, points)
            (work / COURSE).mkdir(exist_ok=True)
            shutil.copytree(work / COURSE, course, dirs_exist_ok=True)
            shutil.rmtree(work, ignore_errors=True)
        else:
            learn(options, params.seed, prepared, dict, work, None, lambda points: None)


def _identity() -> Identity:
    from wenhuo.graph import current_key
    from wenhuo.lineage import Identity

    return Identity("pretraining", current_key(Path(), "pretrain"))


def _pretrain(
    params: Params,
    options: Pretraining,
    identity: Identity,
    prepared: Path,
    about: dict[str, Any],
    backbone: Path,
) -> list[Point]:
    """Pretrain, and write the checkpoint; return the curves. Of several processes the first one does this."""
    from wenhuo.files import whole
    from wenhuo.lineage import PREFIX
    from wenhuo.pretraining.pretrain import learn
    from wenhuo.tracking.candidates import Candidate, LiveRun

    dataset = {"source": "text without labels", "synthetic": False, "rows": {}, "hash": {}}
    values = {"seed": params.seed, **options.model_dump()}
    known = Candidate(identity, backbone.name, values, dataset, {f"{PREFIX}backbone": backbone.name}, PROJECT)
    work = CHECKPOINTS / identity.key
    with LiveRun(known) as live, whole(backbone) as folder:
        folder.mkdir(parents=True)
        return learn(options, params.seed, prepared, lambda: about, work, folder, live.log, params.course)
