"""register: the winner on validation goes into MLflow's registry, and becomes champion when it deserves to.

It becomes champion when there is none, or when its macro-F1 beats the champion's on the same test set; a tie keeps
the champion. `reports/winner.json` says who won; what the registry made of it is in `reports/registration.json`,
which is no output of the graph, since it depends on what the registry held before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wenhuo.settings import Section

if TYPE_CHECKING:
    from wenhuo.tracking.registry import Version

REGISTRATION = Path("reports/registration.json")
EXAMPLES = 3


class Params(Section):
    """The section ``register``."""

    name: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[^/:]+$",
        description="The registered model's name; null: wenhuo- and the source's name.",
    )


def run(params: Params, *, metrics: Path, models: Path, parts: Path, winner: Path) -> None:
    """Register the winner that ``metrics`` names, decide about the champion, and write ``winner`` (JSON)."""
    from wenhuo.console import say
    from wenhuo.files import read_json, write_json
    from wenhuo.tracking.names import registered_name

    figures = read_json(metrics)
    dataset = read_json(parts / "dataset.json")
    chosen = figures["winner"]
    name = params.name or registered_name(dataset["source"])
    version, verdict = _register(name, chosen, models / chosen, figures["candidates"][chosen], parts, dataset)
    write_json(
        winner,
        {
            "winner": chosen,
            "model": (models / chosen).as_posix(),
            "registered_model": name,
            "validation_macro_f1": figures["candidates"][chosen]["validation"]["macro_f1"],
        },
    )
    write_json(REGISTRATION, {"model": name, "version": version.number, "candidate": chosen, **verdict})
    say(f"register: {chosen} is version {version.number} of {name}; {verdict['reason']}")


def _register(
    name: str, chosen: str, folder: Path, figures: dict[str, Any], parts: Path, dataset: dict[str, Any]
) -> tuple[Version, dict[str, Any]]:
    import polars as pl

    from wenhuo import lineage
    from wenhuo.errors import TrackingError
    from wenhuo.tracking import registry, runs, store

    identity = lineage.identify_made(f"train@{chosen}")
    client = store.connect()
    made = runs.find_run(client, identity.key)
    if made is None:
        raise TrackingError(
            f"this MLflow store has no run of {chosen}", "run `dvc repro --force --single-item evaluate`"
        )
    tests = pl.read_parquet(parts / "test.parquet", columns=["text", "label"])
    tags = identity.tags() | lineage.data_tags(dataset) | lineage.lock_tag() | _figure_tags(chosen, figures)
    example = tests["text"].head(EXAMPLES).to_list() or ["…"]
    version = registry.register(client, name, made.info.run_id, folder, example, tags)
    verdict = _decide(registry.champion(client, name), version, folder, tests, dataset["labels"])
    if verdict["champion"] == version.number:
        registry.make_champion(client, version)
    return version, verdict


def _figure_tags(chosen: str, figures: dict[str, Any]) -> dict[str, str]:
    named = {f"wenhuo.{split}_macro_f1": f"{figures[split]['macro_f1']:.6f}" for split in ("validation", "test")}
    return {"wenhuo.candidate": chosen} | named


def _decide(old: Version | None, new: Version, folder: Path, tests: Any, labels: list[str]) -> dict[str, Any]:
    """Who is champion, and why: both models classify the same test texts, now."""
    from wenhuo.errors import ModelError
    from wenhuo.models.classifier import Classifier

    if old is None:
        return {"champion": new.number, "promoted": True, "reason": "it is the first champion"}
    if old.number == new.number:
        return {"champion": old.number, "promoted": False, "reason": "it is the champion already"}
    try:
        champion = Classifier.load(old.uri)
    except ModelError as error:
        reason = f"version {old.number} stays champion, though it cannot be compared: {error.what}"
        return {"champion": old.number, "promoted": False, "reason": reason}
    if sorted(champion.labels) != sorted(labels):
        reason = f"version {old.number} stays champion: it has other labels; set register.name to start a new model"
        return {"champion": old.number, "promoted": False, "reason": reason}
    theirs, ours = (_macro_f1(model, tests) for model in (champion, Classifier.load(folder)))
    figures = {"test_macro_f1": ours, "champion_test_macro_f1": theirs}
    if ours > theirs:
        reason = f"it beats version {old.number} on the test set, macro-F1 {ours:.4f} to {theirs:.4f}"
        return {"champion": new.number, "promoted": True, "reason": reason, **figures}
    reason = f"version {old.number} stays champion, macro-F1 {theirs:.4f} to {ours:.4f} on the test set"
    return {"champion": old.number, "promoted": False, "reason": reason, **figures}


def _macro_f1(model: Any, tests: Any) -> float:
    import numpy as np

    from wenhuo.models.scores import accuracy_and_macro_f1

    place = {label: i for i, label in enumerate(model.labels)}
    truth = np.array([place[label] for label in tests["label"].to_list()], dtype=np.int32)
    return accuracy_and_macro_f1(truth, model.probabilities(tests["text"].to_list()).argmax(1))[1]
