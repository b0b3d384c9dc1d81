"""pretrain: a backbone, by masked language modelling on the corpus's train texts and on files without labels.

Optional: ``pretrain.backbones`` is empty by default, and then the graph has no such stage. An encoder uses the result
by ``tokenizer: data/backbones/NAME``, a candidate by ``backbone: checkpoint``. A killed run goes on from its last
checkpoint under `data/checkpoints/` and ends in the same bytes. Curves appear in MLflow as they come.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import Field, field_validator

from wenhuo.pretraining.options import Pretraining
from wenhuo.settings import Section, check_names

CHECKPOINTS = Path("data/checkpoints")
BACKBONES = Path("data/backbones")


class Params(Section):
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
    from wenhuo import lineage
    from wenhuo.files import read_json, whole
    from wenhuo.pretraining.pretrain import pretrain
    from wenhuo.tracking.candidates import Candidate as Tracked
    from wenhuo.tracking.candidates import LiveRun
    from wenhuo.training.history import write

    options = params.backbones[name]
    identity = lineage.identify(f"pretrain@{name}")
    about = {"seed": params.seed, **options.model_dump()}
    known = Tracked(identity, name, about, read_json(parts / "dataset.json"), tags={f"{lineage.PREFIX}backbone": name})
    work = CHECKPOINTS / identity.key
    with LiveRun(known) as live, whole(backbone) as folder:
        folder.mkdir()
        points = pretrain(options, params.seed, parts, read_json(versions), work, folder, live.log)
    write(history, points)
    shutil.rmtree(work, ignore_errors=True)
