"""register: the winner on validation meets the gate, and becomes a version of the registry, its champion, or neither.

The gate (`docs/gate.md`) compares it with the champion on one frozen test set. `reports/winner.json` says who won; what
became of it is in `reports/registration.json` and, with all decisions before, in `reports/decisions.jsonl`; the card of
the version (`docs/card.md`) is in `reports/cards/`. Those are no outputs of the graph, since they depend on what the
registry held before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wenhuo.cards.options import CardWords
from wenhuo.gate.options import Gate

if TYPE_CHECKING:
    from polars import DataFrame

    from wenhuo.tracking.promotion import Ruling
    from wenhuo.tracking.registration import Entry
    from wenhuo.tracking.registry import Version

REPORTS = Path("reports")
REGISTRATION = REPORTS / "registration.json"


class Params(Gate):
    """The section ``register``."""

    name: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[^/:'\"`]+$",
        description="The registered model's name; null: wenhuo- and the source's name.",
    )
    examples: int = Field(
        3, ge=0, le=100, description="Test texts kept with a version, to try it by before it serves again."
    )
    card: CardWords = Field(CardWords(), description="What the model card says beside what is known: a person's words.")


def run(params: Params, *, metrics: Path, models: Path, parts: Path, validation: Path, winner: Path) -> None:
    """Judge and register the winner that ``metrics`` names, and write ``winner`` (JSON).

    Raises:
        TrackingError: MLflow does not answer, or has no run of the winner.
        ModelError: the winner's folder is damaged or refused.
    """
    from wenhuo.console import say
    from wenhuo.files import read_json, write_json
    from wenhuo.tracking.names import registered_name

    figures, dataset = read_json(metrics), read_json(parts / "dataset.json")
    chosen = figures["winner"]
    name = params.name or registered_name(dataset["source"])
    made = _register(params, name, models / chosen, figures, parts, dataset, read_json(validation)["errors"])
    write_json(
        winner,
        {
            "winner": chosen,
            "model": (models / chosen).as_posix(),
            "registered_model": name,
            "validation_macro_f1": figures["candidates"][chosen]["validation"]["macro_f1"],
        },
    )
    write_json(REGISTRATION, made)
    place = f"version {made['version']} of {name}" if made["version"] else f"no version of {name}"
    say(f"register: {chosen} is {place}: {made['verdict']}; {made['reason']}")
    if made["version"] and made["verdict"] != "refused":
        _give_card(name, made["version"])


def _give_card(name: str, number: int) -> None:
    """Make the version's card; where that fails the version is registered all the same, and `wenhuo card` makes it."""
    from wenhuo.console import say
    from wenhuo.errors import WenhuoError
    from wenhuo.tracing.cards import card_of
    from wenhuo.tracking import cards, registry, store

    client = store.connect()
    try:
        version = registry.version_numbered(client, name, number)
        made = card_of(Path(), version)
        cards.publish(client, version, made)
    except WenhuoError as error:
        say(f"register: warning: version {number} has no card yet: {error.what}; `wenhuo card` makes it")
        return
    say(f"register: its card → reports/cards/{made.name}.html")


def _register(
    params: Params,
    name: str,
    folder: Path,
    figures: dict[str, Any],
    parts: Path,
    dataset: dict[str, Any],
    errors: int,
) -> dict[str, Any]:
    """What became of the winner in ``folder``."""
    from wenhuo.gate import decisions
    from wenhuo.tracing import restoring
    from wenhuo.tracking import promotion, registration, registry, store

    client, tests = store.connect(), _tests(parts)
    entry = _entry(params, name, folder, figures, tests, dataset)
    restoring.fill(Path(), name, entry.key)
    old, known = registry.champion(client, name), entry.known(client)
    if old is not None and known is not None and old.number == known.number:
        promotion.reconcile(client, REPORTS, name)
        promotion.tag_versions(client, REPORTS, name)
        return _told(name, entry, old.number, old.number, "champion", "it is the champion already")
    ruling = _taken_back(entry, known, old)
    frozen = None
    if ruling is None:
        linear = _best_linear(folder, figures)
        ruling, frozen = _judge(params, entry, old, linear, tests, dataset, errors)
    with decisions.locked(REPORTS):
        if frozen is not None and ruling.verdict != "refused":
            known = registration.enter(client, REPORTS, entry, frozen)
        decision = promotion.settle(client, REPORTS, name, ruling.about(known))
    return _told(name, entry, decision.version, decision.champion, decision.verdict, decision.reason, decision.checks)


def _tests(parts: Path) -> DataFrame:
    import polars as pl

    rows = pl.read_parquet(parts / "test.parquet")
    return rows.select([name for name in ("id", "text", "label", "leaked", "source") if name in rows.columns])


def _entry(
    params: Params, name: str, folder: Path, figures: Mapping[str, Any], tests: DataFrame, dataset: dict[str, Any]
) -> Entry:
    from wenhuo import lineage
    from wenhuo.models.folder import read_card
    from wenhuo.tracking.registration import Entry

    identity = lineage.identify_made(lineage.candidate_stage(folder.name, read_card(folder).kind))
    tags = identity.tags() | lineage.data_tags(dataset) | lineage.lock_tag()
    tags |= _figure_tags(folder.name, figures["candidates"][folder.name])
    return Entry(name, folder.name, folder, identity.key, tags, tests["text"].head(params.examples).to_list())


def _figure_tags(chosen: str, figures: dict[str, Any]) -> dict[str, str]:
    named = {f"wenhuo.{split}_macro_f1": f"{figures[split]['macro_f1']:.6f}" for split in ("validation", "test")}
    return {"wenhuo.candidate": chosen} | named


def _taken_back(entry: Entry, known: Version | None, old: Version | None) -> Ruling | None:
    """What a person took back, no run of the graph promotes again."""
    from wenhuo.gate import decisions
    from wenhuo.tracking.promotion import Ruling

    back = decisions.read(REPORTS).taken_back(entry.model, known.number) if known else None
    if back is None or known is None:
        return None
    why = f": {back.why}" if back.why else ""
    reason = f"{back.by} went back from it on {back.when[:10]}{why}; `wenhuo promote {known.number}` makes it champion"
    return Ruling("challenger", reason, known, old.number if old else None, entry.candidate, entry.key)


def _judge(
    params: Params,
    entry: Entry,
    old: Version | None,
    linear: Path | None,
    tests: DataFrame,
    dataset: dict[str, Any],
    errors: int,
) -> tuple[Ruling, Any]:
    """The gate's decision, and the test set that it rests on."""
    from wenhuo.gate.judging import judge
    from wenhuo.tracking.promotion import Ruling
    from wenhuo.tracking.registration import look_up

    champion = look_up(old, dataset["hash"]["test"]) if old else None
    judged = judge(params, entry.folder, champion, linear, tests, dataset["labels"], errors)
    said, expected = judged.verdict, old.number if old else None
    ruling = Ruling(
        said.verdict, said.reason, None, expected, entry.candidate, entry.key, judged.frozen.hash, said.checks
    )
    return ruling, judged.frozen


def _best_linear(folder: Path, figures: Mapping[str, Any]) -> Path | None:
    """The folder of the best linear candidate on validation; None where the winner is linear or none is."""
    from wenhuo.models.folder import read_card

    scores: dict[str, float] = {
        name: found["validation"]["macro_f1"] or 0.0 for name, found in figures["candidates"].items()
    }
    linear: list[str] = [name for name in scores if read_card(folder.parent / name).kind == "linear"]
    if folder.name in linear or not linear:
        return None
    return folder.parent / max(linear, key=lambda name: scores[name])


def _told(
    model: str,
    entry: Entry,
    version: int | None,
    champion: int | None,
    verdict: str,
    reason: str,
    checks: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    made = {"model": model, "version": version, "candidate": entry.candidate, "key": entry.key, "champion": champion}
    return {**made, "verdict": verdict, "promoted": verdict == "promoted", "reason": reason, "checks": checks or []}
