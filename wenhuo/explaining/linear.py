"""Why a linear model decides: what each n-gram of a text adds to the log-odds, spread over its characters.

The log-odds of a calibrated SVM (of its label against the rest, before the probabilities are made to sum to 1) and of
logistic regression of two classes are sums over n-grams, so that each n-gram's part is known exactly. The softmax of
several classes is no sum; there the parts are integrated gradients (Sundararajan, Taly and Yan, ICML 2017), which have
a closed form but for one integral along a line, taken at 64 points. A temperature divides all log-odds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, log_expit, logsumexp, softmax
from sklearn.feature_extraction.text import TfidfVectorizer

from wenhuo.encoding import ngrams
from wenhuo.encoding.options import Ngrams
from wenhuo.explaining.explanation import Attribution, Floats, Mix
from wenhuo.models.classifier import open_linear
from wenhuo.models.folder import Card
from wenhuo.models.linear import LinearModel
from wenhuo.models.temperature import tempered
from wenhuo.text.segmentation import segment, words

POINTS = 64  # of the integral; 16 are enough for ten digits
FLAT = 1e-9  # of a score: a smaller change has the slope where it begins
SPACES = re.compile(r"\s\s+|.", re.DOTALL)  # as scikit-learn reads a text: a run of white space is one space

Unit = tuple[str, Sequence[int]]
"""A character or a word as n-grams are made of it, and the places of its characters in the text."""


@dataclass(frozen=True)
class OpenedLinear:
    """A linear model: its n-grams and weights, and its temperature."""

    vectorizer: TfidfVectorizer
    model: LinearModel
    options: Ngrams
    temperature: float = 1.0
    kind: str = "n-grams, weighted by TF-IDF"
    rows_at_once: int = 2000
    looks_at: int = 50_000  # 10 s

    @classmethod
    def load(cls, folder: Path, card: Card) -> OpenedLinear:
        """The model in a folder.

        Raises:
            ModelError: it is damaged.
        """
        vectorizer, model = open_linear(folder, card)
        assert isinstance(card.encoder, Ngrams)  # noqa: S101 - open_linear has refused others
        return cls(vectorizer, model, card.encoder, card.temperature)

    def vectors(self, texts: Sequence[str]) -> Any:
        """TF-IDF weights, sparse."""
        return ngrams.transform(self.vectorizer, texts)

    def attribute(self, text: str, label: int | None) -> Attribution:
        """What each character adds to the log-odds of a label."""
        row = ngrams.transform(self.vectorizer, [text])
        probabilities = tempered(self.model.probabilities(row), self.temperature)[0]
        chosen = int(probabilities.argmax()) if label is None else label
        features, values = row.indices, row.data.astype(np.float64)
        parts, log_odds, without = contributions(self.model, features, values, chosen, self.temperature)
        vocabulary = self.vectorizer.vocabulary_
        spread = spread_over(text, self.options, vocabulary, dict(zip(features.tolist(), parts.tolist(), strict=True)))
        seen = np.ones(len(text), dtype=np.bool_)
        return Attribution(chosen, probabilities, log_odds, without, spread, seen, self._method)

    def ends(self, text: str) -> tuple[Floats, Floats]:
        """The log-probabilities of a text's n-grams and of none, but for a constant."""
        row = ngrams.transform(self.vectorizer, [text])
        reached, begun = self.model.scores(row)[0], self.model.bias
        return _log_shares(self.model, reached) / self.temperature, _log_shares(self.model, begun) / self.temperature

    def attribute_mix(self, text: str, shares: Floats) -> Mix:
        """What each character adds to a sum of the log-probabilities of the classes: n-grams add up in every score."""
        row = ngrams.transform(self.vectorizer, [text])
        features, values = row.indices, row.data.astype(np.float64)
        parts = mixed(self.model, features, values, shares) / self.temperature
        vocabulary = self.vectorizer.vocabulary_
        spread = spread_over(text, self.options, vocabulary, dict(zip(features.tolist(), parts.tolist(), strict=True)))
        return Mix(spread, np.ones(len(text), dtype=np.bool_), self._of("contributions"))

    @property
    def _method(self) -> str:
        exact = len(self.model.slope) or len(self.model.weights) == 2
        kind = "exact contributions" if exact else "integrated gradients"
        return self._of(kind)

    def _of(self, kind: str) -> str:
        return f"{kind} of {self.options.shortest}- to {self.options.longest}-grams of {self.options.unit}"


def contributions(
    model: LinearModel, features: Any, values: Floats, label: int, temperature: float = 1.0
) -> tuple[Floats, float, float]:
    """What each n-gram of a text adds to the log-odds of a label.

    Args:
        model: of k classes.
        features: the n-grams' columns, shape (m,).
        values: their weights in the text, shape (m,).
        label: whose log-odds.
        temperature: what scores are divided by.

    Returns:
        The parts, shape (m,), and the log-odds of the text and of no text; the parts add up to their difference.
    """
    weights, bias = model.weights[:, features].astype(np.float64), model.bias
    if len(model.slope):
        slope, offset = float(model.slope[label]) / temperature, float(model.offset[label]) / temperature
        without = -(slope * float(bias[label]) + offset)
        parts = -slope * weights[label] * values
        return parts, without + float(parts.sum()), without
    weights, bias = weights / temperature, bias / temperature
    rest = np.arange(len(weights)) != label
    change = weights @ values
    along = _on_the_way(bias[rest], change[rest])
    parts = (weights[label] - along @ weights[rest]) * values
    return parts, _log_odds(change + bias, label), _log_odds(bias, label)


def mixed(model: LinearModel, features: Any, values: Floats, shares: Floats) -> Floats:
    """What each n-gram of a text adds to a sum of the log-probabilities of the classes, at temperature 1.

    A softmax's are the scores themselves but for a constant, which shares that sum to 0 leave out; the logarithm of a
    calibrated SVM's has, on the straight way from no text, a mean slope: what it changes by, divided by what its score
    changes by. Either way the parts add up to the whole change.

    Args:
        model: of k classes.
        features: the n-grams' columns, shape (m,).
        values: their weights in the text, shape (m,).
        shares: of each class in the sum, shape (k,); they sum to 0.

    Returns:
        Shape (m,).
    """
    weights = model.weights[:, features].astype(np.float64)
    if len(model.slope):
        change = weights @ values
        risen = _log_shares(model, model.bias + change) - _log_shares(model, model.bias)
        straight = np.abs(change) > FLAT
        there = expit(model.slope * model.bias + model.offset) * -model.slope
        shares = shares * np.where(straight, risen / np.where(straight, change, 1), there)
    return np.asarray(shares @ weights * values)


def _log_shares(model: LinearModel, scores: Floats) -> Floats:
    """The logarithms of the probabilities before they are made to sum to 1, of scores of shape (classes,)."""
    return np.asarray(log_expit(-(model.slope * scores + model.offset)) if len(model.slope) else scores)


def _on_the_way(start: Floats, change: Floats) -> Floats:
    """The mean softmax of scores that go from ``start`` by ``change`` in a straight line, shape (classes,)."""
    places, shares = np.polynomial.legendre.leggauss(POINTS)
    scores = start + (places[:, None] + 1) / 2 * change
    return np.asarray(shares / 2 @ softmax(scores, axis=1))


def _log_odds(scores: Floats, label: int) -> float:
    return float(scores[label] - logsumexp(np.delete(scores, label)))


def spread_over(text: str, options: Ngrams, vocabulary: dict[str, int], parts: dict[int, float]) -> Floats:
    """Parts of n-grams as parts of characters: equal shares for all places of an n-gram and all characters of a place.

    Args:
        text: n characters.
        options: how n-grams are made.
        vocabulary: n-gram to column.
        parts: column to what it adds.

    Returns:
        Shape (n,); its sum is that of ``parts``.
    """
    found = [(vocabulary[gram], places) for gram, places in grams(text, options) if gram in vocabulary]
    columns = np.array([column for column, _ in found], dtype=np.int64)
    counts = dict(zip(*(side.tolist() for side in np.unique(columns, return_counts=True)), strict=True))
    spread = np.zeros(len(text))
    for column, places in found:
        np.add.at(spread, places, parts.get(column, 0.0) / counts[column] / len(places))  # a place may stand twice
    return spread


def grams(text: str, options: Ngrams) -> Iterator[tuple[str, list[int]]]:
    """Every n-gram of a text as the vectorizer finds them, with the places of its characters."""
    units = _words(text) if options.unit == "words" else _characters(text)
    between = " " if options.unit == "words" else ""
    for size in range(options.shortest, options.longest + 1):
        for start in range(len(units) - size + 1):
            taken = units[start : start + size]
            yield between.join(unit for unit, _ in taken), [place for _, places in taken for place in places]


def _characters(text: str) -> list[Unit]:
    lowered, places = _lowered(text)
    return [
        (" " if match.end() - match.start() > 1 else match[0], places[match.start() : match.end()])
        for match in SPACES.finditer(lowered)
    ]


def _words(text: str) -> list[Unit]:
    lowered, places = _lowered(text)
    units: list[Unit] = []
    kept, start = set(words(lowered)), 0
    for piece in segment(lowered):
        if piece in kept:
            units.append((piece, places[start : start + len(piece)]))
        start += len(piece)
    return units


def _lowered(text: str) -> tuple[str, list[int]]:
    """The text in lower case, as scikit-learn reads it, and where each of its characters stood before."""
    return text.lower(), [place for place, character in enumerate(text) for _ in character.lower()]
