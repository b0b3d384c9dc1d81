"""Several models' probabilities as one: a logarithmic opinion pool.

Genest and Zidek, "Combining Probability Distributions" (Statistical Science 1, 1986); with weights of 1 it is Hinton's
product of experts (Neural Computation 14, 2002). The logarithm of a class's probability is the weighted sum of the
members' logarithms, less what makes a row sum to 1. Where one member is unsure the others decide, and a class of which
one is sure that it is wrong is hardly ever right. The sum of the weights is what the inverse of a temperature is to one
model: below 1 the blend is less sure than its members, above it surer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from wenhuo.models.temperature import log_probabilities, tempered

Probabilities = npt.NDArray[np.float64]


def blended(members: Sequence[Probabilities], weights: Sequence[float]) -> Probabilities:
    """The blend of what several models say of the same rows.

    Args:
        members: what each of them says, shape (n, classes); each row sums to 1. A probability of 0 counts as the
            smallest number there is, so that no row is left without a class.
        weights: one a member, 0 or more; a member of 0 changes nothing, and one alone of weight 1 is the blend.

    Returns:
        Shape (n, classes); each row sums to 1 within rounding.
    """
    told = [(said, weight) for said, weight in zip(members, weights, strict=True) if weight]
    if len(told) == 1:
        return tempered(told[0][0], 1 / told[0][1])
    return np.asarray(softmax(pooled([said for said, _ in told] or members, [w for _, w in told] or weights), axis=1))


def pooled(members: Sequence[Probabilities], weights: Sequence[float]) -> Probabilities:
    """The weighted sum of the members' log-probabilities, shape (n, classes): the blend's but for a constant a row."""
    return np.asarray(sum(weight * log_probabilities(said) for said, weight in zip(members, weights, strict=True)))
