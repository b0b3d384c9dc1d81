"""What leaks do to a score: one linear model on a published test set, with and without the rows it could remember.

The model is the yardstick of published comparisons: a linear SVM (C = 0.5) on TF-IDF of character 1- to 3-grams
(in two rows or more, sublinear, the 300,000 most frequent). Figures are for a report; they choose nothing.

as_published          trained on all labelled train rows as read, measured on the whole test set
leak_free_part        the same model on the test rows whose text does not stand in train
leak_free_training    trained on each text once, without those that stand in validation or test; the whole test set
without_punctuation   the last one with punctuation and symbols stripped from all texts, as many tutorials do

Texts are the same when they are white space aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_matrix

from wenhuo.audit.features import count, weigh
from wenhuo.audit.suspects import DIGITS, rows_looked_at
from wenhuo.metrics.intervals import percentiles, resampled_figures
from wenhuo.text.cleaning import Cleaning, clean_texts
from wenhuo.text.keys import loose_keys

STRENGTH = 0.5
SEED = 13
RESAMPLES = 1000

STRIPPED = Cleaning(unicode="none", width=False, html=False, controls=False, punctuation="strip")
"""Nothing but the stripping, and white space made one space."""

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def published_figures(
    corpus: pl.DataFrame, most: int, totals: Mapping[str, int] | None = None
) -> tuple[dict[str, Any] | None, str | None]:
    """The figures, or ``None`` and the reason why there are none.

    Args:
        corpus: rows as read, with ``id``, ``text``, ``label`` and ``split``.
        most: rows of a split that are used at most; of more, a sample by the ids' hash.
        totals: rows of each split in all, where ``corpus`` is a sample already.
    """
    learnt = pl.col("split").is_null() | (pl.col("split") == "train")
    train, test = corpus.filter(learnt), corpus.filter(pl.col("split") == "test")
    reason = _nothing_to_measure(train, test)
    if reason:
        return None, reason
    most = rows_looked_at(train["label"].n_unique(), most)
    validation = corpus.filter(pl.col("split") == "validation")
    parts = [part.sort("id").head(most) for part in (train, validation, test)]
    totals = totals or {"train": train.height, "test": test.height}
    sampled = totals["train"] > parts[0].height or totals["test"] > parts[2].height
    return {"sampled": sampled} | _measured(*parts), None


def _nothing_to_measure(train: pl.DataFrame, test: pl.DataFrame) -> str | None:
    if test.is_empty():
        return "the source has no test set of its own"
    if train.is_empty():
        return "the source has a test set and nothing to train on"
    if train["label"].n_unique() < 2:
        return "train holds one label only"
    return None


def _measured(train: pl.DataFrame, validation: pl.DataFrame, test: pl.DataFrame) -> dict[str, Any]:
    labels = sorted({*train["label"], *test["label"]})
    numbers = {label: number for number, label in enumerate(labels)}
    given, truth = (np.array([numbers[label] for label in part["label"]], np.int64) for part in (train, test))
    clean, free = _leak_free(train, validation, test)
    texts = [*train["text"], *test["text"]]
    counts = count(texts)
    predicted = _predictions(counts, given, np.ones_like(clean))
    stripped = count(clean_texts(texts, STRIPPED))
    rows = {"train": train.height, "test": test.height, "leak_free_training": int(clean.sum())}
    figures = {
        "as_published": _figures(truth, predicted, len(labels)),
        "leak_free_part": _figures(truth[free], predicted[free], len(labels)),
        "leak_free_training": _figures(truth, _predictions(counts, given, clean), len(labels)),
        "without_punctuation": _figures(truth, _predictions(stripped, given, clean), len(labels)),
    }
    return {"rows": rows, "test_hash": sha256("\n".join(test["id"]).encode()).hexdigest(), "figures": figures}


def _leak_free(train: pl.DataFrame, validation: pl.DataFrame, test: pl.DataFrame) -> tuple[Flags, Flags]:
    """Train rows that stand first with their text and stand in no other split; test rows that do not stand in train."""
    keys = [part.select(loose_keys(pl.col("text")))["text"] for part in (train, validation, test)]
    first = keys[0].is_first_distinct() & ~keys[0].is_in(pl.concat(keys[1:]).implode())
    return first.to_numpy(), (~keys[2].is_in(keys[0].implode())).to_numpy()


def _predictions(counts: csr_matrix, given: Integers, chosen: Flags) -> Integers:
    """The classes of the texts after the first ``len(given)``, by a model of those of the first that are chosen."""
    return classify(counts[np.flatnonzero(chosen)], given[chosen], counts[len(given) :])


def classify(train: csr_matrix, given: Integers, test: csr_matrix, strength: float = STRENGTH) -> Integers:
    """The classes of test rows by a linear SVM, shape (test rows,); the commonest one where nothing can be learnt.

    Args:
        train: counts of n-grams, shape (train rows, n-grams).
        given: the classes of the train rows.
        test: counts of the same n-grams.
        strength: C, the inverse of regularisation.
    """
    from sklearn.svm import LinearSVC

    chosen = weigh(train)
    if len(np.unique(given)) < 2 or not len(chosen.columns):
        return np.full(test.shape[0], np.bincount(given, minlength=1).argmax(), np.int64)
    model = LinearSVC(C=strength, random_state=SEED).fit(chosen.of(train), given)
    return np.asarray(model.predict(chosen.of(test)), dtype=np.int64)


def _figures(truth: Integers, predicted: Integers, classes: int) -> dict[str, Any]:
    """Rows, accuracy and macro-F1, and their 95 % intervals by the bootstrap over test rows."""
    figures: dict[str, Any] = {"rows": len(truth), "accuracy": None, "macro_f1": None, "intervals": {}}
    if not len(truth):
        return figures
    drawn = resampled_figures(truth, np.eye(classes)[predicted], RESAMPLES, SEED)
    right = truth == predicted
    scores = [
        2 * (right & (truth == k)).sum() / ((truth == k).sum() + (predicted == k).sum()) for k in np.unique(truth)
    ]
    figures["accuracy"] = round(float(right.mean()), DIGITS)
    figures["macro_f1"] = round(float(np.mean(scores)), DIGITS)
    figures["intervals"] = {name: percentiles(drawn[name]) for name in ("accuracy", "macro_f1")}
    return figures
