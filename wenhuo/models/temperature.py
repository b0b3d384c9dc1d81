"""Temperature scaling: one number by which a model's log-probabilities are divided so that they mean what they say.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017, arXiv:1706.04599). Above 1 the
probabilities become less sure, below 1 surer; the order of a row's classes stays as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

Probabilities = npt.NDArray[np.float64]


def log_probabilities(probabilities: Probabilities) -> Probabilities:
    """Logarithms; of 0 that of the smallest number, so that one row does not make all that is fitted infinitely bad."""
    return np.asarray(np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)))


def tempered(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities at another temperature: p to the power of 1 / temperature, made to sum to 1.

    Of a softmax it is the softmax of the logits divided by the temperature. It is done with logarithms, so that nothing
    overflows; what is 0 stays 0, and the class with the highest probability stays that class to the last bit.

    Args:
        probabilities: shape (n, classes); each row sums to 1.
        temperature: above 0; 1 changes nothing.

    Returns:
        Shape (n, classes); each row sums to 1 within rounding.
    """
    if temperature == 1 or not len(probabilities):
        return probabilities
    with np.errstate(divide="ignore"):
        found = np.asarray(softmax(np.log(probabilities) / temperature, axis=1))
    best = probabilities.argmax(axis=1)
    tied = np.flatnonzero(found.argmax(axis=1) != best)  # apart in the last bit before, equal now
    found[tied, best[tied]] = np.nextafter(found[tied].max(axis=1), 2)
    return found
