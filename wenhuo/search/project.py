"""A project's searches: what ``search.yaml`` and ``params.yaml`` say together, and the data that they are about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from wenhuo.blending.options import Blend
from wenhuo.encoding.options import EncoderOptions
from wenhuo.errors import DataError, SettingsError
from wenhuo.search.changes import Base, fixed
from wenhuo.search.checking import mistakes
from wenhuo.search.declaration import DECLARED, Search, read_searches
from wenhuo.settings import Section, parse_sections, read_yaml
from wenhuo.training.options import Candidate

PARAMETERS = Path("params.yaml")
PARTS = Path("data/split")
SUSPECTS = Path("reports/suspects.parquet")
ENCODED = Path("data/encoded")
KEPT = Path("data/search")


class Training(Section):
    """What a search reads of the section ``train``."""

    model_config = ConfigDict(extra="ignore")

    seed: int = Field(13, description="Seed of every training.")
    candidates: dict[str, Candidate] = Field(description="The candidates by name.")


class Encoding(Section):
    """What a search reads of the section ``encode``."""

    model_config = ConfigDict(extra="ignore")

    encoders: dict[str, EncoderOptions] = Field(description="The encoders by name.")


class Blending(Section):
    """What a search reads of the section ``blend``."""

    model_config = ConfigDict(extra="ignore")

    candidates: dict[str, Blend] = Field({}, description="The blends by name.")


@dataclass(frozen=True)
class Plan:
    """What a study is about.

    Attributes:
        name: of the search.
        search: its declaration.
        base: the candidate that it changes.
        data: a hash of the rows that are trained on and validated with.
        dataset: what ``dataset.json`` says of them.
    """

    name: str
    search: Search
    base: Base
    data: str
    dataset: dict[str, Any]

    @cached_property
    def key(self) -> str:
        """The study's identity, in hexadecimal: results under another one cannot be compared with its own."""
        declared = self.search.model_dump(mode="json", exclude={"trials"})
        said = {"search": declared, "fixed": fixed(self.base, self.search), "data": self.data}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def folder(self) -> Path:
        """Where its trials keep their checkpoints, and encoders what they made; below the project's folder."""
        return folder_of(self.key)


def folder_of(key: str) -> Path:
    """The folder of the study with this key, below the project's."""
    return KEPT / key[:12]


def read_project(root: Path) -> dict[str, tuple[Search, Base]]:
    """The searches of a project with the candidates that they change.

    Raises:
        SettingsError: a file is missing, or with every mistake in ``search.yaml``.
    """
    searches = read_searches(root / DECLARED)
    values = read_yaml(root / PARAMETERS) or {}
    bases = read_bases(values, str(root / PARAMETERS))
    blends = {name: blend.of for name, blend in _blends(values, str(root / PARAMETERS)).items()}
    wrong = [
        line
        for name, search in searches.items()
        for line in mistakes(name, search, bases.get(search.candidate), values, blends)
    ]
    if wrong:
        count = "1 mistake" if len(wrong) == 1 else f"{len(wrong)} mistakes"
        raise SettingsError(f"{root / DECLARED}: {count}\n  " + "\n  ".join(wrong), "mend them and run again")
    return {name: (search, bases[search.candidate]) for name, search in searches.items()}


def read_bases(values: Any, where: str) -> dict[str, Base]:
    """Every candidate of a ``params.yaml`` with its encoders. Raises SettingsError as ``parse_sections``."""
    wanted = {name: values.get(name) for name in ("train", "encode")} if isinstance(values, dict) else values
    sections = parse_sections(wanted, {"train": Training, "encode": Encoding}, where=where)
    training, encoding = sections["train"], sections["encode"]
    assert isinstance(training, Training) and isinstance(encoding, Encoding)  # noqa: S101 - for the type checker
    candidates = training.candidates.items()
    return {name: Base(name, candidate, encoding.encoders, training.seed) for name, candidate in candidates}


def _blends(values: Any, where: str) -> Mapping[str, Blend]:
    wanted = {"blend": values.get("blend")} if isinstance(values, dict) else values
    section = parse_sections(wanted, {"blend": Blending}, where=where)["blend"]
    assert isinstance(section, Blending)  # noqa: S101 - for the type checker
    return section.candidates


def make_plan(root: Path, name: str | None) -> Plan:
    """The plan of a search, by its name or because there is no other.

    Raises:
        SettingsError: as :func:`read_project`, or there is no such search.
        DataError: the data are not divided yet.
    """
    declared = read_project(root)
    if name is None and len(declared) == 1:
        name = next(iter(declared))
    if name not in declared:
        asked = "name one of several searches" if name is None else f"there is no search {name!r} in {DECLARED}"
        raise SettingsError(asked, f"it declares: {', '.join(declared) or 'none'}")
    dataset, data = _data(root)
    return Plan(name, *declared[name], data, dataset)


def _data(root: Path) -> tuple[dict[str, Any], str]:
    """What ``dataset.json`` says, and a hash of what a training sees: not of the test rows."""
    import polars as pl

    from wenhuo.files import read_json, sha256

    try:
        dataset = read_json(root / PARTS / "dataset.json")
        files = [sha256(root / PARTS / f"{split}.parquet") for split in ("train", "validation")]
        suspects = pl.read_parquet(root / SUSPECTS, columns=["id", "split", "suggested", "action"])
    except FileNotFoundError as error:
        raise DataError(
            f"{error.filename} does not exist: the data are not prepared", "run `dvc repro` first"
        ) from None
    acted = suspects.filter(pl.col("action") != "none").sort("id").rows()
    said = {"labels": dataset["labels"], "files": files, "acted": acted}
    return dataset, hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def encoders(plan: Plan) -> list[str]:
    """The encoders of ``params.yaml`` that a search begins from."""
    chosen = plan.search.space.get("encoder")
    return [str(name) for name in chosen.extremes()] if chosen else [plan.base.candidate.encoder]


def check_fresh(root: Path, names: list[str]) -> None:
    """Make sure that what a search reads is what the graph would make now.

    Args:
        root: the project's folder.
        names: of the encoders.

    Raises:
        DataError: a stage that they depend on has changed, or has not run.
        GraphError: the graph cannot be read.
    """
    from wenhuo import graph

    stages = {stage.addressing: stage for stage in graph.stages(root)}
    wanted = [f"encode@{name}" for name in names]
    pending, before = list(wanted), set()
    while pending:
        stage = stages.get(pending.pop())
        if stage is not None and stage.addressing not in before:
            before.add(stage.addressing)
            pending += stage.upstream
    ask = sorted(name for name in before if not stages[name].always)
    stale = sorted(graph.changed(root, ask)) if ask else []
    if stale:
        raise DataError(
            f"the data are not what params.yaml and the sources ask for: {', '.join(stale)} would run again",
            f"run `dvc repro {' '.join(wanted)}` first",
        )
