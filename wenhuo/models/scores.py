"""The few scores by which training chooses an epoch and `register` a champion; `evaluate` measures the full set."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def accuracy_and_macro_f1(truth: npt.NDArray[np.int32], predicted: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Accuracy, and the mean F1 of the classes that stand in ``truth`` or are predicted (as scikit-learn's f1_score).

    Args:
        truth: class ids, shape (n,).
        predicted: class ids, shape (n,).
    """
    hits = truth == predicted
    seen = np.union1d(truth, predicted)
    f1 = [2 * (hits & (truth == c)).sum() / ((truth == c).sum() + (predicted == c).sum()) for c in seen]
    return float(hits.mean()), float(np.mean(f1))
