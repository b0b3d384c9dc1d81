"""evaluate: measure every candidate in the same way on validation and test.

Every candidate that `params.yaml` names is loaded as a user would load it and classifies both splits. The figures go to
`reports/metrics.json` with 95 % intervals; the winner has the highest macro-F1 on validation (of equals the one that
`params.yaml` names first, so put the simpler one first). The test set chooses nothing. `reports/candidates.html` shows
it all on one page, with what the untrained and the trained networks say about the same sentences. Pictures and the data
behind them go to `reports/plots/`, the errors that each model is surest of to `reports/errors/NAME.csv`; MLflow shows
them too. Some test rows are also asked about with typing errors, wrong homophones, in traditional script and without
punctuation; docs/evaluation.md says what the figures mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from wenhuo.perturbing.options import Robustness
from wenhuo.settings import Section

if TYPE_CHECKING:
    from tasks.train import Params as Training
    from wenhuo.blending.options import Blend
    from wenhuo.evaluation.answers import Answers, Part
    from wenhuo.evaluation.material import Material, Options
    from wenhuo.evaluation.robustness import Trials
    from wenhuo.metrics.report import Result


class Params(Section):
    """The section ``evaluate``."""

    bootstrap: int = Field(1000, le=100_000, description="Resamples behind each 95 % interval; 0 for no intervals.")
    seed: int = Field(13, ge=0, description="Seed of the resampling.")
    errors: int = Field(
        200, ge=0, description="The errors a model is surest of, kept as a table: at most so many rows."
    )
    examples: int = Field(
        20, ge=0, description="Validation rows of each kind shown with their texts on the page; 0 shows no text at all."
    )
    robustness: Robustness = Field(Robustness(), description="What is asked about perturbed test rows.")

    @field_validator("bootstrap")
    @classmethod
    def _enough(cls, value: int) -> int:
        if value != 0 and value < 100:
            raise ValueError(f"{value} resamples are too few for a 95 % interval: give 100 or more, or 0 for none")
        return value


def run(
    params: Params,
    *,
    models: Path,
    parts: Path,
    history: Path,
    suspects: Path,
    metrics: Path,
    page: Path,
    plots: Path,
    errors: Path,
) -> None:
    """Measure the candidates under ``models`` on the splits under ``parts``; write figures, page, pictures and errors.

    ``suspects`` are the rows whose label the audit doubts; the courses of the trainings stand under ``history``.

    Raises:
        ModelError: a candidate has no model, or one of other labels.
        DataError: a split has labels that ``dataset.json`` does not list, or validation has no rows.
    """
    from wenhuo.evaluation.answers import read_parts
    from wenhuo.evaluation.blends import ask_all
    from wenhuo.evaluation.page import render_candidates
    from wenhuo.evaluation.robustness import perturb
    from wenhuo.files import read_json, write_json, write_text

    dataset = read_json(parts / "dataset.json")
    read = read_parts(parts, dataset["labels"])
    training, blends = _chosen()
    trials = perturb(read["test"], parts / "train.parquet", params.robustness)
    asked = {**read, **trials.parts}
    answers = ask_all(models, training.candidates, blends, asked, dataset["labels"])
    summary = _summary(params, answers, read, models, dataset)
    summary |= _weaknesses(params, answers, read["test"], trials, models, dataset["labels"], suspects)
    write_json(metrics, summary)
    material = _material(summary, answers, read, {**training.candidates, **blends}, models, history)
    write_text(page, render_candidates(material, shown=params.examples))
    results = _results(material)
    _write_plots(plots, results, read["test"], dataset, summary["winner"])
    _write_errors(errors, answers, read, dataset["labels"], params.errors)
    for name in answers:
        written = {"pictures": plots / name, "tables": [errors / f"{name}.csv"], "pages": [page]}
        _log(name, material.candidates[name].chosen(training.seed), answers[name], results[name], dataset, written)
    _tell(summary, answers, page)


def _chosen() -> tuple[Training, Mapping[str, Blend]]:
    """The section of the trainings, and the blends."""
    from tasks.blend import Params as Blending
    from tasks.command import read_parameters
    from tasks.train import Params as Training

    sections = read_parameters()
    training, blending = sections["train"], sections["blend"]
    assert isinstance(training, Training) and isinstance(blending, Blending)  # noqa: S101 - for the type checker
    return training, blending.candidates


def _summary(
    params: Params, answers: Mapping[str, Answers], read: Mapping[str, Part], models: Path, dataset: Mapping[str, Any]
) -> dict[str, Any]:
    from wenhuo.evaluation.calibration import calibration
    from wenhuo.evaluation.figures import measured, summarise
    from wenhuo.models.folder import count_parameters

    chance = {"bootstrap": params.bootstrap, "seed": params.seed}
    measures = {name: measured(one, read, dataset["labels"], **chance) for name, one in answers.items()}
    counted = {name: count_parameters(models / name, one.card) for name, one in answers.items()}
    summary = summarise(measures, answers, counted, read["validation"], dataset, **chance)
    return summary | {"calibration": calibration(answers, read, dataset["labels"])}


def _weaknesses(
    params: Params,
    answers: Mapping[str, Answers],
    test: Part,
    trials: Trials,
    models: Path,
    labels: list[str],
    suspects: Path,
) -> dict[str, Any]:
    from wenhuo.evaluation.weaknesses import flagged, weaknesses

    chance = {"bootstrap": params.bootstrap, "seed": params.seed}
    return weaknesses(answers, test, trials, models, labels, flagged(suspects), **chance)


def _material(
    summary: Mapping[str, Any],
    answers: Mapping[str, Answers],
    read: Mapping[str, Part],
    options: Mapping[str, Options],
    models: Path,
    history: Path,
) -> Material:
    from wenhuo.evaluation.answers import places
    from wenhuo.evaluation.material import Material, Shown
    from wenhuo.training import before
    from wenhuo.training.history import read as read_history

    shown = {}
    for name, one in answers.items():
        curves = history / f"{name}.csv"
        columns = places(one.card.labels, summary["labels"], models / name)
        untrained = {key: [row[k] for k in columns] for key, row in before.read(models / name).items()}
        course = read_history(curves) if curves.exists() else []
        shown[name] = Shown(options[name], one, course, untrained)
    return Material(summary, read, shown)


def _results(material: Material) -> dict[str, Result]:
    from wenhuo.metrics.report import Result

    figures = material.summary["candidates"]
    return {
        name: Result(one.answers.by_split["test"], figures[name], one.history)
        for name, one in material.candidates.items()
    }


def _write_plots(folder: Path, results: dict[str, Result], test: Part, dataset: Mapping[str, Any], winner: str) -> None:
    from wenhuo.files import whole
    from wenhuo.metrics.report import write_report

    source = str(dataset["source"]).rstrip("/").rsplit("/", 1)[-1]
    with whole(folder) as made:
        made.mkdir()
        about = f"{source} (synthetic)" if dataset["synthetic"] else source
        write_report(made, results, test.truth, dataset["labels"], winner, about)


def _write_errors(
    folder: Path, answers: Mapping[str, Answers], read: Mapping[str, Part], labels: list[str], most: int
) -> None:
    from wenhuo.evaluation.errors import write_errors
    from wenhuo.files import whole

    with whole(folder) as made:
        for name, one in answers.items():
            write_errors(made / f"{name}.csv", one, read, labels, most)


def _log(
    name: str,
    chosen: dict[str, Any],
    answers: Answers,
    result: Result,
    dataset: dict[str, Any],
    written: dict[str, Any],
) -> None:
    """Show the evaluation in the candidate's MLflow run, which is found by the key of the stage that made it."""
    from wenhuo.console import say
    from wenhuo.errors import TrackingError
    from wenhuo.lineage import candidate_stage, identify_made
    from wenhuo.metrics.summary import flat_figures
    from wenhuo.tracking.candidates import Candidate, Evaluation, log_evaluation

    candidate = Candidate(identify_made(candidate_stage(name, answers.card.kind)), name, chosen, dataset)
    measured = {"seconds_per_1000_texts": answers.seconds}
    try:
        shown = Evaluation(result.history, flat_figures(result.measures), measured=measured, **written)
        log_evaluation(candidate, shown)
    except TrackingError as error:  # the figures are in files; register logs what is missing, or fails
        say(f"evaluate: {name} is not in MLflow yet: {error.what}")


def _tell(summary: Mapping[str, Any], answers: Mapping[str, Answers], page: Path) -> None:
    from wenhuo.console import say
    from wenhuo.metrics.summary import spoken

    measures, winner = summary["candidates"], summary["winner"]
    wide = max(len(name) for name in measures)
    for name, splits in measures.items():
        chosen, test = spoken(splits["validation"], "macro_f1"), spoken(splits["test"], "accuracy")
        line = f"evaluate: {name:{wide}}  validation macro-F1 {chosen}  test accuracy {test}"
        if "test_leak_free" in splits:
            line += f" (leak-free rows {spoken(splits['test_leak_free'], 'accuracy')})"
        say(f"{line}  {answers[name].seconds:.2f} s per 1,000 texts{'  winner' if name == winner else ''}")
    if "robustness" in summary:
        _tell_falls(summary["robustness"], wide)
    say(f"evaluate: the candidates side by side, before and after training → {page}")


def _tell_falls(found: Mapping[str, Any], wide: int) -> None:
    from wenhuo.console import say

    for name, figures in found["candidates"].items():
        falls = (f"{kind.replace('_', ' ')} {0 - 100 * figures[kind]['fall']:+.1f}" for kind in found["kinds"])
        say(f"evaluate: {name:{wide}}  accuracy on {found['rows']:,} test rows, points: {', '.join(falls)}")
