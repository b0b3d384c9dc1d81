"""evaluate: measure every candidate in the same way on validation and test.

Every candidate that `params.yaml` names is loaded as a user would load it and classifies both splits. The figures go to
`reports/metrics.json` with 95 % intervals; the winner has the highest macro-F1 on validation (of equals the one that
`params.yaml` names first, so put the simpler one first). The test set chooses nothing. Pictures and the data behind
them go to `reports/plots/`, the errors that each model is surest of to `reports/errors/NAME.csv`; MLflow shows it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from wenhuo.settings import Section

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks.train import Params as Training
    from wenhuo.metrics.report import Result
    from wenhuo.models.classifier import Classifier

    Said = dict[str, NDArray[np.float64]]  # split to a model's probabilities for its rows

MEASURED = ("validation", "test")
AT_ONCE = 1024  # texts between two steps of the progress bar


class Params(Section):
    """The section ``evaluate``."""

    bootstrap: int = Field(1000, le=100_000, description="Resamples behind each 95 % interval; 0 for no intervals.")
    seed: int = Field(13, ge=0, description="Seed of the resampling.")
    errors: int = Field(
        200, ge=0, description="The errors a model is surest of, kept as a table: at most so many rows."
    )

    @field_validator("bootstrap")
    @classmethod
    def _enough(cls, value: int) -> int:
        if value != 0 and value < 100:
            raise ValueError(f"{value} resamples are too few for a 95 % interval: give 100 or more, or 0 for none")
        return value


@dataclass(frozen=True)
class Part:
    """The rows of one split; ``truth`` holds positions in the list of labels."""

    ids: list[str]
    texts: list[str]
    truth: NDArray[np.int64]
    leaked: NDArray[np.bool_]


def run(params: Params, *, models: Path, parts: Path, history: Path, metrics: Path, plots: Path, errors: Path) -> None:
    """Measure the candidates under ``models`` on the splits under ``parts``; write figures, pictures and errors.

    Raises:
        ModelError: a candidate has no model, or one of other labels.
        DataError: a split has labels that ``dataset.json`` does not list, or validation has no rows.
    """
    from wenhuo.files import read_json, write_json
    from wenhuo.metrics.summary import choose, flat_figures

    dataset = read_json(parts / "dataset.json")
    read = {split: _read_part(parts / f"{split}.parquet", dataset["labels"]) for split in MEASURED}
    names = list(_training().candidates)
    said: dict[str, Said] = {}
    seconds: dict[str, float] = {}
    for name in names:
        said[name], seconds[name] = _classify(models / name, read, dataset["labels"])
    measures = {name: _measure(said[name], read, dataset["labels"], params) for name in names}
    winner = choose({name: measure["validation"] for name, measure in measures.items()})
    write_json(metrics, _summary(measures, winner, dataset, params))
    results = {name: _result(said[name]["test"], measures[name], history / f"{name}.csv") for name in names}
    _write_plots(plots, results, read["test"], dataset, winner)
    _write_errors(errors, said, read, dataset["labels"], params.errors)
    for name in names:
        figures = flat_figures(measures[name]) | {"seconds_per_1000_texts": seconds[name]}
        _log(models / name, results[name], figures, dataset, plots / name, errors / f"{name}.csv")
    _tell(measures, seconds, winner)


def _training() -> Training:
    from tasks.command import read_parameters
    from tasks.train import Params as Training

    section = read_parameters()["train"]
    assert isinstance(section, Training)  # noqa: S101 - for the type checker
    return section


def _read_part(path: Path, labels: list[str]) -> Part:
    import numpy as np
    import polars as pl

    from wenhuo.errors import DataError

    rows = pl.read_parquet(path, columns=["id", "text", "label", "leaked"])
    unknown = sorted(set(rows["label"]) - set(labels))
    if unknown:
        raise DataError(f"{path}: labels that dataset.json does not list: {', '.join(unknown[:5])}", "run `dvc repro`")
    place = {label: number for number, label in enumerate(labels)}
    truth = np.array([place[label] for label in rows["label"]], dtype=np.int64)
    return Part(rows["id"].to_list(), rows["text"].to_list(), truth, rows["leaked"].to_numpy().astype(bool))


def _classify(model: Path, read: dict[str, Part], labels: list[str]) -> tuple[Said, float]:
    """A candidate's probabilities on each split, and its seconds for 1,000 texts (loading apart)."""
    import time

    classifier = _load(model)
    columns = _columns(classifier.labels, labels, model)
    began = time.perf_counter()
    said = {
        split: _probabilities(classifier, part.texts, f"{model.name} on {split}")[:, columns]
        for split, part in read.items()
    }
    texts = sum(len(part.texts) for part in read.values())
    return said, 1000 * (time.perf_counter() - began) / max(1, texts)


def _load(folder: Path) -> Classifier:
    from wenhuo.errors import ModelError
    from wenhuo.models.classifier import Classifier

    if not folder.is_dir():
        raise ModelError(
            f"{folder} does not exist: the candidate is not trained", f"run `dvc repro train@{folder.name}`"
        )
    return Classifier.load(folder)


def _columns(model: list[str], data: list[str], folder: Path) -> list[int]:
    """Where each label of the data stands among the model's."""
    from wenhuo.errors import ModelError

    if sorted(model) != sorted(data):
        apart = ", ".join(sorted(set(model) ^ set(data))[:5])
        raise ModelError(f"{folder} was trained on other labels than the data have: {apart}", "run `dvc repro`")
    return [model.index(label) for label in data]


def _probabilities(classifier: Classifier, texts: list[str], what: str) -> NDArray[np.float64]:
    import numpy as np

    from wenhuo.console import track

    starts = range(0, len(texts), AT_ONCE)
    found = [classifier.probabilities(texts[at : at + AT_ONCE]) for at in track(starts, what, len(starts))]
    return np.concatenate([np.zeros((0, len(classifier.labels))), *found])


def _measure(said: Said, read: dict[str, Part], labels: list[str], params: Params) -> dict[str, dict[str, Any]]:
    """The figures on each split, and on the test rows without a copy in the source's train when some had one."""
    from wenhuo.metrics.classification import measure

    rows = {split: (part.truth, said[split]) for split, part in read.items()}
    clean = ~read["test"].leaked
    if not clean.all():
        rows["test_leak_free"] = (read["test"].truth[clean], said["test"][clean])
    return {
        split: measure(truth, probabilities, labels, bootstrap=params.bootstrap, seed=params.seed)
        for split, (truth, probabilities) in rows.items()
    }


def _summary(
    measures: dict[str, dict[str, Any]], winner: str, dataset: dict[str, Any], params: Params
) -> dict[str, Any]:
    from wenhuo.metrics.summary import CHOSEN_BY

    told = {name: dataset[name] for name in ("source", "synthetic", "rows", "hash", "labels")}
    intervals = {"level": 0.95, "resamples": params.bootstrap, "seed": params.seed}
    return {"candidates": measures, "winner": winner, "chosen_by": CHOSEN_BY, "intervals": intervals, **told}


def _result(probabilities: NDArray[np.float64], measures: dict[str, Any], history: Path) -> Result:
    from wenhuo.metrics.report import Result
    from wenhuo.training.history import read

    return Result(probabilities, measures, read(history) if history.exists() else [])


def _write_plots(folder: Path, results: dict[str, Result], test: Part, dataset: dict[str, Any], winner: str) -> None:
    from wenhuo.files import whole
    from wenhuo.metrics.report import write_report

    source = str(dataset["source"]).rstrip("/").rsplit("/", 1)[-1]
    with whole(folder) as made:
        made.mkdir()
        about = f"{source} (synthetic)" if dataset["synthetic"] else source
        write_report(made, results, test.truth, dataset["labels"], winner, about)


def _write_errors(folder: Path, said: dict[str, Said], read: dict[str, Part], labels: list[str], most: int) -> None:
    """One table a candidate: its errors on validation and test together, the surest first."""
    import numpy as np

    from wenhuo.files import whole
    from wenhuo.metrics.tables import surest_errors, write_table

    rows = [(*row, split) for split, part in read.items() for row in zip(part.ids, part.texts, strict=True)]
    truth = np.concatenate([part.truth for part in read.values()])
    with whole(folder) as made:
        for name, by_split in said.items():
            probabilities = np.concatenate([by_split[split] for split in read])
            table = []
            for at in surest_errors(truth, probabilities, [row[0] for row in rows], most):
                key, text, split = rows[at]
                guess, actual = int(probabilities[at].argmax()), int(truth[at])
                table.append((key, split, text, labels[actual], labels[guess], float(probabilities[at, guess])))
            header = ("id", "split", "text", "label", "predicted", "confidence")
            write_table(made / f"{name}.csv", header, table, mark=True)


def _log(model: Path, result: Result, figures: dict[str, float], dataset: Any, folder: Path, table: Path) -> None:
    """Show the evaluation in the candidate's MLflow run, which is found by the key of the stage that trained it."""
    from wenhuo.lineage import identify_made
    from wenhuo.models.folder import read_card
    from wenhuo.tracking.candidates import Candidate, log_evaluation
    from wenhuo.training.candidate import parameters

    training = _training()
    card = {"options": read_card(model).encoder.model_dump()}
    chosen = parameters(training.candidates[model.name], training.seed, card)
    candidate = Candidate(identify_made(f"train@{model.name}"), model.name, chosen, dataset)
    log_evaluation(candidate, result.history, figures, folder, [table])


def _tell(measures: dict[str, dict[str, Any]], seconds: dict[str, float], winner: str) -> None:
    from wenhuo.console import say
    from wenhuo.metrics.summary import spoken

    wide = max(len(name) for name in measures)
    for name, splits in measures.items():
        chosen, test = spoken(splits["validation"], "macro_f1"), spoken(splits["test"], "accuracy")
        line = f"evaluate: {name:{wide}}  validation macro-F1 {chosen}  test accuracy {test}"
        if "test_leak_free" in splits:
            line += f" (leak-free rows {spoken(splits['test_leak_free'], 'accuracy')})"
        say(f"{line}  {seconds[name]:.2f} s per 1,000 texts{'  winner' if name == winner else ''}")
