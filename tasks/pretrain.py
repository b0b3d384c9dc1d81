"""pretrain: a backbone, by masked language modelling on the corpus's train texts and on files without labels.

Optional: ``pretrain.backbones`` is empty by default, and then the graph has no such stage. An encoder uses the result
by ``tokenizer: data/backbones/NAME``, a candidate by ``backbone: checkpoint``. A killed run goes on from its last
checkpoint under `data/checkpoints/` and ends in the same bytes. Curves appear in MLflow as they come.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from wenhuo.pretraining.options import Pretraining
from wenhuo.settings import check_names
from wenhuo.training.launching import Processes

if TYPE_CHECKING:
    from wenhuo.lineage import Identity

CHECKPOINTS = Path("data/checkpoints")
BACKBONES = Path("data/backbones")


class Params(Processes):
    """The section ``pretrain``."""

    seed: int = Field(13, ge=0, description="Seed of every random choice in pretraining.")
    backbones: dict[str, Pretraining] = Field({}, description="What is pretrained, by name; nothing by default.")

    _names = field_validator("backbones")(check_names)

    @field_validator("backbones")
    @classmethod
    def _start_elsewhere(cls, backbones: dict[str, Pretraining]) -> dict[str, Pretraining]:
        for name, options in backbones.items():
            if Path(options.start).parent == BACKBONES and Path(options.start).name in backbones:
                raise ValueError(
                    f"{name} starts from {options.start}, which this graph makes: copy it, and name the copy"
                )
        return backbones


def run(params: Params, *, name: str, parts: Path, versions: Path, backbone: Path, history: Path) -> None:
    """Pretrain the backbone ``name``; write ``backbone`` (a folder that AutoModel loads) and ``history`` (CSV)."""
    from wenhuo.training.launching import run_in_processes

    paths = {"--parts": parts, "--versions": versions, "--backbone": backbone, "--history": history}
    command = ["tasks", "pretrain", "--name", name, *(str(word) for pair in paths.items() for word in pair)]
    if run_in_processes(command, params.devices, params.launcher, "pretrain"):
        return
    from wenhuo.files import read_json
    from wenhuo.pretraining.pretrain import pretrain
    from wenhuo.training.joining import joined
    from wenhuo.training.processes import first, first_here, from_first

    with joined():
        identity = from_first(lambda: _identity(name))
        work = CHECKPOINTS / identity.key
        if first():
            _pretrain(params, identity, parts, versions, backbone, history)
        else:
            pretrain(params.backbones[name], params.seed, parts, read_json(versions), work, None, lambda points: None)
        if first_here():
            shutil.rmtree(work, ignore_errors=True)


def _identity(name: str) -> Identity:
    from wenhuo import lineage

    return lineage.identify(f"pretrain@{name}")


def _pretrain(params: Params, identity: Identity, parts: Path, versions: Path, backbone: Path, history: Path) -> None:
    """Pretrain, and write checkpoint and curves; of several processes the first one does this."""
    from wenhuo.files import read_json, whole
    from wenhuo.lineage import PREFIX
    from wenhuo.pretraining.pretrain import pretrain
    from wenhuo.tracking.candidates import Candidate, LiveRun
    from wenhuo.training.history import write

    name = identity.stage.partition("@")[2]
    options = params.backbones[name]
    about = {"seed": params.seed, **options.model_dump()}
    known = Candidate(identity, name, about, read_json(parts / "dataset.json"), tags={f"{PREFIX}backbone": name})
    work = CHECKPOINTS / identity.key
    with LiveRun(known) as live, whole(backbone) as folder:
        folder.mkdir()
        points = pretrain(options, params.seed, parts, read_json(versions), work, folder, live.log)
    write(history, points)
