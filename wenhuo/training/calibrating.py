"""After training: a temperature, and where asked for a threshold below which the model gives no answer.

Both are fitted on validation alone, on the probabilities that the stored model gives, and stand in its card. The
temperature is that of Guo, Pleiss, Sun and Weinberger (ICML 2017, arXiv:1706.04599). The threshold is chosen as by
Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks" (NeurIPS 2017, arXiv:1705.08500): by what the
accuracy of the answers is at least, and not by what it happened to be. Why so: docs/decisions/0026-calibration.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import betaincinv, logsumexp

from wenhuo.console import say
from wenhuo.encoding.store import EncodedRows, read_rows
from wenhuo.files import write_json
from wenhuo.models.folder import CARD, Card, read_card
from wenhuo.models.temperature import log_probabilities, tempered
from wenhuo.training.options import LinearCandidate, TransformerCandidate

Probabilities = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int32]

WIDEST = 10.0
"""The temperature is between this and its inverse; networks that learnt something lie between 0.5 and 4."""
SPREAD = 0.5
"""Standard deviation of the normal prior of the temperature's logarithm: worth about eleven rows. With 20 rows of a
model that means what it says the log loss of others rises by 0.012, and by 0.034 with twice the spread; with 400 rows
nothing is seen of either."""
DIGITS = 4  # of the temperature: more change no figure, and the last bits of a sum depend on the machine
FINE = 6  # digits of a threshold
STEPS = 20  # coverages among which a threshold is looked for: 5 %, 10 %, … of validation
DOUBT = 0.05  # the chance that the answers are less often right than asked for


@dataclass(frozen=True)
class Answered:
    """A threshold and the rows that reach it: how many, how many of them right, and the share that is at least right.

    ``least`` is true of other rows of the same kind with a chance of 1 - ``DOUBT``, all thresholds that were looked at
    considered.
    """

    threshold: float
    rows: int
    right: int
    least: float


def calibrate(options: LinearCandidate | TransformerCandidate, encoded: Path, folder: Path) -> None:
    """Fit what a candidate asks for and write it into the card of its model.

    Args:
        options: the candidate's parameters.
        encoded: the encoder's folder, of which only the validation rows are read.
        folder: the model's, whole.
    """
    if options.calibrate == "none" and options.abstain is None:
        return
    rows, card = read_rows(encoded / "validation.arrow"), read_card(folder)
    found = _answers(folder, card, rows)
    temperature = 1.0
    if options.calibrate == "temperature":
        temperature = fit_temperature(found, rows.labels)
        before, after = (log_loss(found, rows.labels, degrees) for degrees in (1.0, temperature))
        say(f"train: temperature {temperature:g}; log loss on validation {after:.4f}, without it {before:.4f}")
    fitted: dict[str, float | None] = {"temperature": temperature}
    if options.abstain is not None:
        fitted |= abstention(tempered(found, temperature), rows.labels, options.abstain, "train")
    write_json(folder / CARD, card.model_copy(update=fitted).model_dump())


def fit_temperature(probabilities: Probabilities, truth: Classes) -> float:
    """The temperature at which the probabilities fit the truth best; never one that fits worse than 1.

    Args:
        probabilities: at temperature 1, shape (n, classes).
        truth: class ids, shape (n,).
    """
    logs, spread = log_probabilities(probabilities), SPREAD**2 * max(1, len(truth))

    def cost(log_temperature: float) -> float:
        return _log_loss(logs, truth, math.exp(log_temperature)) + log_temperature**2 / (2 * spread)

    widest = math.log(WIDEST)
    found = minimize_scalar(cost, bounds=(-widest, widest), method="bounded", options={"xatol": 1e-7})
    temperature = round(math.exp(float(found.x)), DIGITS)
    return temperature if _log_loss(logs, truth, temperature) < _log_loss(logs, truth, 1.0) else 1.0


def log_loss(probabilities: Probabilities, truth: Classes, temperature: float = 1.0) -> float:
    """The mean negative log-likelihood of the truth at a temperature; of no rows 0."""
    return _log_loss(log_probabilities(probabilities), truth, temperature)


def _log_loss(logs: Probabilities, truth: Classes, temperature: float) -> float:
    if not len(truth):
        return 0.0
    scaled = logs / temperature
    return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(truth)), truth]))


def abstention(probabilities: Probabilities, truth: Classes, accuracy: float, stage: str) -> dict[str, float | None]:
    """What a card says of the threshold that :func:`fit_threshold` finds; the stage tells what that gives."""
    chosen = fit_threshold(probabilities, truth, accuracy)
    _say_threshold(chosen, accuracy, len(truth), stage)
    return {"abstain_below": None if chosen is None else chosen.threshold, "abstain_for": accuracy}


def fit_threshold(probabilities: Probabilities, truth: Classes, accuracy: float) -> Answered | None:
    """The lowest threshold found at which the answers are right often enough; None where there is none.

    Twenty coverages are asked by bisection: is the accuracy of the surest 5, 10, … 100 % of the rows at least
    ``accuracy``, by the lower end of Clopper and Pearson's interval? Every question may be answered wrongly with a
    fifth of the chance allowed to all, since there are five.

    Args:
        probabilities: as the model gives them, shape (n, classes).
        truth: class ids, shape (n,).
        accuracy: that the answers are to have, between 0 and 1.
    """
    sure = np.floor(probabilities.max(axis=1) * 10**FINE) / 10**FINE
    right, ranked = probabilities.argmax(axis=1) == truth, np.sort(sure)[::-1]
    places = sorted({math.ceil(len(ranked) * step / STEPS) - 1 for step in range(1, STEPS + 1)} if len(ranked) else ())
    doubt = DOUBT / math.ceil(math.log2(STEPS + 1))
    low, high, best = 0, len(places), None
    while low < high:
        middle = (low + high) // 2
        answered = sure >= ranked[places[middle]]
        rows, hits = int(answered.sum()), int((answered & right).sum())
        least = surely_right(hits, rows, doubt)
        if least >= accuracy:
            best, low = Answered(float(ranked[places[middle]]), rows, hits, least), middle + 1
        else:
            high = middle
    return best


def surely_right(right: int, rows: int, doubt: float) -> float:
    """The share that is at least right where ``right`` of ``rows`` are; it is less with the chance ``doubt`` at most.

    The lower end of the interval of Clopper and Pearson (Biometrika 26, 1934), one-sided.
    """
    return float(betaincinv(right, rows - right + 1, doubt)) if right else 0.0


def _say_threshold(chosen: Answered | None, accuracy: float, rows: int, stage: str) -> None:
    if chosen is None:
        say(
            f"{stage}: no threshold is sure to make {accuracy:.1%} of the answers right on {rows:,} validation rows: "
            "the model answers everything; ask for less (abstain), or bring more validation rows"
        )
        return
    say(
        f"{stage}: abstains below {chosen.threshold:g}: answers {chosen.rows / rows:.1%} of validation, "
        f"{chosen.right / chosen.rows:.1%} of it right, at least {chosen.least:.1%} of other such rows"
    )


def _answers(folder: Path, card: Card, rows: EncodedRows) -> Probabilities:
    """What the stored model says of encoded rows at temperature 1, shape (n, classes)."""
    if card.kind == "linear":
        from wenhuo.models import linear
        from wenhuo.training.linear import as_matrix

        model = linear.load(folder)
        return model.probabilities(as_matrix(rows, model.weights.shape[1]))
    import torch
    from scipy.special import softmax

    from wenhuo.models.classifier import open_transformer
    from wenhuo.training.sources import Tokens

    tokenizer, network, device = open_transformer(folder, card)
    scores = Tokens(network, rows, tokenizer.pad, tokenizer.options.pool, device, torch.float32).all_scores()
    return np.asarray(softmax(scores.astype(np.float64), axis=1))
