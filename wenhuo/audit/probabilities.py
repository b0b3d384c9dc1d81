"""Probabilities of the linear model for rows that it has not seen.

Logistic regression, one class against the rest, on TF-IDF of character 1- to 3-grams. Of nine linear models tried on
ChnSentiCorp and THUCNews titles with a tenth of the labels flipped, it put the most flips first: precision at the
number of flips 0.686 and 0.851 (linear SVM C=0.2 0.690 and 0.843, ridge 0.688 and 0.836, complement naive Bayes 0.63 on
the first), and its probabilities need no calibration: the counts of wrong labels estimated from them were within 8 %.
The dual solver at a tolerance of 0.1 ranks no worse than at 0.0001 and takes half the time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.special import expit

from wenhuo.audit.features import weigh
from wenhuo.audit.folds import Folds

Probabilities = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int32]

STRENGTH = 4.0  # C, the inverse of regularisation: 2, 4 and 10 were tried
TOLERANCE = 0.1
SEED = 13


def out_of_fold(counts: csr_matrix, classes: Classes, folds: Folds, labels: int) -> Probabilities:
    """Each row's probabilities by a model of the other folds, shape (n, labels).

    The n-grams and their weights are chosen once, from all rows: that looks at no label.

    Args:
        counts: n-grams of the rows, shape (n, n-grams).
        classes: their class ids as given, shape (n,).
        folds: the fold of each row, shape (n,).
        labels: how many classes there are.
    """
    weights = weigh(counts).of(counts)
    found = np.zeros((len(classes), labels))
    for fold in np.unique(folds):
        held = folds == fold
        found[held] = _fit_and_judge(weights[~held], classes[~held], weights[held], labels)
    return found


def unseen(counts: csr_matrix, classes: Classes, others: csr_matrix, labels: int) -> Probabilities:
    """Probabilities of other rows by a model of all these rows, shape (others, labels)."""
    chosen = weigh(counts)
    return _fit_and_judge(chosen.of(counts), classes, chosen.of(others), labels)


def _fit_and_judge(rows: csr_matrix, classes: Classes, others: csr_matrix, labels: int) -> Probabilities:
    from sklearn.linear_model import LogisticRegression

    found = np.zeros((others.shape[0], labels))
    present = np.unique(classes)
    if not rows.shape[1] or len(present) < 2:  # nothing to learn from
        found[:, present] = 1 / max(len(present), 1)
        return found
    for label in present if len(present) > 2 else present[1:]:
        model = LogisticRegression(C=STRENGTH, solver="liblinear", dual=True, tol=TOLERANCE, random_state=SEED)
        found[:, label] = expit(model.fit(rows, classes == label).decision_function(others))
    if len(present) == 2:
        found[:, present[0]] = 1 - found[:, present[1]]
    total = found.sum(axis=1, keepdims=True)
    return np.asarray(found / total)
