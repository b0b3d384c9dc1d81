"""Train a linear model on n-gram weights, by scikit-learn; probabilities calibrated by cross-validation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.calibration import _SigmoidCalibration
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import LinearSVC

from wenhuo.encoding.store import EncodedRows
from wenhuo.errors import DataError
from wenhuo.models.linear import LinearModel
from wenhuo.training.options import LinearCandidate

Labels = npt.NDArray[np.int32]


def as_matrix(rows: EncodedRows, features: int) -> csr_matrix:
    """Encoded rows as a sparse matrix, shape (n, features)."""
    return csr_matrix((rows.weights, rows.values, rows.offsets), shape=(len(rows), features))


def fit(rows: csr_matrix, labels: Labels, classes: int, options: LinearCandidate, seed: int) -> LinearModel:
    """A linear model for class ids 0 … classes - 1.

    Args:
        rows: n-gram weights, shape (n, features).
        labels: class ids, shape (n,).
        classes: how many classes there are.
        options: the candidate's parameters.
        seed: of the solver and the folds.

    Raises:
        DataError: a class has no row.
    """
    counts = np.bincount(labels, minlength=classes)
    if not counts.all():
        raise DataError(f"class {int(counts.argmin())} has no row in train", "bring rows of it, or remove the label")
    if options.estimator == "logistic":
        return _logistic(rows, labels, options, seed)
    estimator = LinearSVC(C=options.c, random_state=seed)
    weights, bias = _planes(estimator.fit(rows, labels))
    slope, offset = _calibrate(estimator, rows, labels, min(options.folds, int(counts.min())), seed)
    return LinearModel(weights, bias, slope, offset)


def _logistic(rows: csr_matrix, labels: Labels, options: LinearCandidate, seed: int) -> LinearModel:
    estimator = LogisticRegression(C=options.c, max_iter=1000, random_state=seed).fit(rows, labels)
    weights, bias = estimator.coef_, estimator.intercept_
    if len(weights) == 1:  # two classes share one plane; softmax over (0, score) is its sigmoid
        weights, bias = np.concatenate([np.zeros_like(weights), weights]), np.concatenate([[0.0], bias])
    empty = np.zeros(0)
    return LinearModel(weights.astype(np.float32), bias.astype(np.float64), empty, empty)


def _planes(estimator: LinearSVC) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Weights and biases with one plane a class, also when there are two classes."""
    weights, bias = estimator.coef_, estimator.intercept_
    if len(weights) == 1:
        weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
    return weights.astype(np.float32), bias.astype(np.float64)


def _calibrate(
    estimator: LinearSVC, rows: csr_matrix, labels: Labels, folds: int, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Slope and offset a class, fitted on scores of rows that the scoring model had not seen."""
    classes = int(labels.max()) + 1
    if folds < 2:  # a class of one row: nothing to hold out, so scores count as they are
        return np.full(classes, -1.0), np.zeros(classes)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    scores = cross_val_predict(estimator, rows, labels, cv=split, method="decision_function")
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    fitted = [_SigmoidCalibration().fit(scores[:, c], labels == c) for c in range(classes)]
    return np.array([s.a_ for s in fitted]), np.array([s.b_ for s in fitted])
