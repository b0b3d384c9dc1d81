"""What a training minimises.

Each mean over rows is weighted by the rows' class weights, and every function says how a mean over a step comes out of
means over its parts, so that a step in parts has the gradient of the whole one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from wenhuo.errors import SettingsError
from wenhuo.training.options import Objective


def class_weights(
    objective: Objective, labels: Sequence[str], truth: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32] | None:
    """A weight for each class, shape (classes,); None when all count the same.

    Args:
        objective: says whether they are given, or ``balanced``: rows / (classes · rows of the class).
        labels: class names.
        truth: class ids of the train rows.

    Raises:
        SettingsError: a label has no weight, or a weight no label.
    """
    given = objective.class_weights
    if given is None:
        return None
    if given == "balanced":
        counts = np.bincount(truth, minlength=len(labels))
        return (len(truth) / (len(labels) * np.maximum(counts, 1))).astype(np.float32)
    if set(given) != set(labels):
        odd = ", ".join(sorted(set(given) ^ set(labels))[:5])
        raise SettingsError(
            f"objective.class_weights and the labels differ in: {odd}", f"give a weight to each of {', '.join(labels)}"
        )
    return np.array([given[label] for label in labels], dtype=np.float32)


def classification_loss(logits: Tensor, truth: Tensor, objective: Objective, weights: Tensor | None) -> Tensor:
    """Cross-entropy, with smoothed labels and the focal factor when asked for; the weighted mean over rows.

    With the smoothed target q and class weights w: sum over classes of q · w · (1 - p)^focal · (-log p), divided by the
    mean over rows of the true class's weight (Szegedy et al. 2016; Lin et al. 2017). It is torch's cross-entropy when
    focal is 0.

    Args:
        logits: shape (rows, classes), float32.
        truth: class ids, shape (rows,).
        objective: the options.
        weights: shape (classes,), or None.
    """
    if not objective.focal:
        return nn.functional.cross_entropy(logits, truth, weights, label_smoothing=objective.label_smoothing)
    classes = logits.shape[1]
    logs = logits.log_softmax(1)
    target = torch.full_like(logs, objective.label_smoothing / classes)
    target += nn.functional.one_hot(truth, classes).to(logs.dtype) * (1 - objective.label_smoothing)
    weighted = target if weights is None else target * weights
    unsure = (-logs.expm1()).clamp_min(torch.finfo(logs.dtype).tiny)  # 1 - p; the slope of its root at 0 is no number
    rows = -(weighted * unsure**objective.focal * logs).sum(1)
    return rows.mean() if weights is None else rows.sum() / weights[truth].sum()


def divergence(first: Tensor, second: Tensor) -> Tensor:
    """Half the sum of both Kullback-Leibler divergences of two answers to the same rows, mean over rows.

    R-Drop's second term (Liang et al. 2021).

    Args:
        first: logits, shape (rows, classes), float32.
        second: logits of the same rows under another dropout.
    """
    one, two = first.log_softmax(1), second.log_softmax(1)
    return ((one.exp() - two.exp()) * (one - two)).sum(1).mean() / 2
