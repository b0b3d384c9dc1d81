"""A linear model with calibrated probabilities, as four arrays.

score = x · weights + bias; probability = 1 / (1 + exp(slope · score + offset)) a class, normalised to sum 1
(Platt 1999, one against the rest as in Zadrozny & Elkan 2002). Logistic regression is calibrated already: softmax.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax

from wenhuo.errors import ModelError

Array = npt.NDArray[np.float64]
WEIGHTS = "linear.safetensors"


@dataclass(frozen=True)
class LinearModel:
    """Weights (classes, features), bias, slope and offset (classes,). Without slopes: softmax of the scores."""

    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float64]
    slope: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]

    def scores(self, rows: csr_matrix) -> Array:
        """Distances from each class's plane, shape (n, classes)."""
        return np.asarray(rows @ self.weights.T.astype(np.float64) + self.bias)

    def probabilities(self, rows: csr_matrix) -> Array:
        """Probabilities of the classes, shape (n, classes), rows sum to 1."""
        scores = self.scores(rows)
        if not len(self.slope):
            return np.asarray(softmax(scores, axis=1))
        raw = expit(-(self.slope * scores + self.offset))
        total = raw.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, raw / np.where(total > 0, total, 1), 1 / raw.shape[1]))


def save(model: LinearModel, folder: Path) -> None:
    """Write the arrays as safetensors."""
    save_file({name: np.ascontiguousarray(value) for name, value in asdict(model).items()}, folder / WEIGHTS)


def load(folder: Path) -> LinearModel:
    """The model that :func:`save` wrote.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        return LinearModel(**load_file(folder / WEIGHTS))
    except Exception as error:  # safetensors raises its own kinds, TypeError is a file of other arrays
        raise ModelError(f"{folder / WEIGHTS} is damaged: {error}", "restore it with `dvc checkout`") from None
