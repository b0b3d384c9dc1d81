"""Where candidates are weak: under perturbation, on parts of test, and by kinds of errors. It chooses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from wenhuo.evaluation.answers import Answers, Part
from wenhuo.evaluation.encoded import unseen
from wenhuo.evaluation.error_kinds import error_kinds, kinds_of_answers, kinds_of_texts
from wenhuo.evaluation.robustness import Trials, robustness
from wenhuo.evaluation.slicing import cut_by_encoder, cuts, sliced


def weaknesses(
    answers: Mapping[str, Answers],
    test: Part,
    trials: Trials,
    models: Path,
    labels: list[str],
    suspects: set[str],
    *,
    bootstrap: int,
    seed: int,
) -> dict[str, Any]:
    """What ``metrics.json`` holds of it: ``robustness`` (where rows were perturbed), ``slices`` and ``error_kinds``.

    Args:
        answers: candidate to its answers, on ``test`` and on the parts of ``trials``.
        test: its rows.
        trials: what was perturbed.
        models: the folder of the candidates' folders.
        labels: the classes' names.
        suspects: ids of rows whose label the audit flagged.
        bootstrap: resamples behind the intervals under perturbation; 0 for no interval at all.
        seed: of the resampling.
    """
    found = robustness(answers, test, trials, len(labels), bootstrap=bootstrap, seed=seed)
    parts, kinds = cuts(test), kinds_of_texts(test, suspects)
    by_part, by_kind = {}, {}
    for name, one in answers.items():
        probabilities, hidden = one.by_split["test"], unseen(models / name, one.card, test.texts)
        said, asked = probabilities.argmax(axis=1), {"intervals": bootstrap > 0}
        by_part[name] = sliced(test, said, [*parts, *cut_by_encoder(hidden)], len(labels), **asked)
        told = [*kinds, *kinds_of_answers(probabilities, hidden)]
        by_kind[name] = error_kinds(test.truth, said, told, labels, **asked)
    return ({} if found is None else {"robustness": found}) | {"slices": by_part, "error_kinds": by_kind}


def flagged(suspects: Path) -> set[str]:
    """The ids of the test rows whose label the audit flagged, from its table."""
    rows = pl.read_parquet(suspects, columns=["id", "split", "flagged"])
    return set(rows.filter(pl.col("flagged"), pl.col("split") == "test")["id"].to_list())
