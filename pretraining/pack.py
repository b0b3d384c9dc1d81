"""Store the network in half precision, with its tokenizer and a card that says what it is and what it was made of."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from wenhuo.settings import Section


class Params(Section):
    """The section ``pack``."""

    name: str = Field("wenhuo-mini", pattern=r"^[a-z][a-z0-9-]{0,63}$", description="The backbone's name.")
    about: str = Field(description="A sentence or two about it.")
    licence: str = Field(description="The licence of the weights.")
    limits: list[str] = Field([], description="What it is bad at, a sentence each.")
    sources: str | None = Field(
        None, description="What the text consists of: a .tsv of repository, commit, licence, kind and characters."
    )
    figures: str | None = Field(None, description="What benchmarks.backbone wrote of it, JSON; null: not measured yet.")
    most_parameters: int = Field(12_000_000, ge=1, description="Parameters that it may have.")
    most_bytes: int = Field(16_000_000, ge=1, description="Bytes that its files may have.")


def run(params: Params, *, backbone: Path, report: Path, packed: Path) -> None:
    """Write the folder that ships.

    Args:
        params: the section ``pack``.
        backbone: the folder that the stage `pretrain` wrote.
        report: what was held out of the text.
        packed: a folder that AutoModel loads.

    Raises:
        ModelError: it is larger than it may be.
    """
    from wenhuo.console import say
    from wenhuo.files import read_json
    from wenhuo.lineage import code_tags
    from wenhuo.releasing.card import Release, figures_of, read_sources
    from wenhuo.releasing.packing import Limits, pack

    release = Release(
        params.name,
        params.about,
        params.licence,
        tuple(params.limits),
        read_sources(Path(params.sources)) if params.sources else None,
        read_json(report),
        code_tags().get("mlflow.source.git.commit", ""),
        figures_of(read_json(Path(params.figures))) if params.figures else (),
    )
    made = pack(backbone, packed, release, Limits(params.most_parameters, params.most_bytes))
    say(f"pack: {params.name}, {made['parameters']:,} parameters, {made['bytes']:,} bytes, sha256 {made['sha256']}")
