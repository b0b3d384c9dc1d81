"""Classify texts with a stored model: ``Classifier.load("models/mini").predict(["房间很干净"])``.

The same code measures candidates, answers ``wenhuo predict`` and serves: a text is cleaned as in training, encoded with
the model's own encoder, and every row gets one probability a class, at the temperature that the model's card names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wenhuo.encoding.options import Ngrams, Tokens
from wenhuo.errors import ModelError
from wenhuo.models.folder import Card, member_cards, read_card
from wenhuo.models.temperature import tempered
from wenhuo.text.cleaning import clean_texts

if TYPE_CHECKING:
    import torch
    from sklearn.feature_extraction.text import TfidfVectorizer

    from wenhuo.encoding.tokens import Tokenizer
    from wenhuo.models.linear import LinearModel
    from wenhuo.models.transformer import Network

Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """What a model says of a text.

    Attributes:
        label: the most probable class; None when the model abstains, so that nobody takes a guess for an answer.
        probability: of the most probable class.
        probabilities: of every class.
        best: the most probable class, also when the model abstains.
    """

    label: str | None
    probability: float
    probabilities: dict[str, float]
    best: str

    @property
    def abstained(self) -> bool:
        """Whether the model is less sure of its best class than its card asks."""
        return self.label is None


@dataclass(frozen=True)
class Classifier:
    """A loaded model."""

    card: Card
    _probabilities: Callable[[list[str]], Probabilities]

    @classmethod
    def load(cls, model: str | Path) -> Classifier:
        """Load a model by folder, or by ``models:/name@alias`` or ``models:/name/version`` from the MLflow registry.

        Raises:
            ModelError: it is missing, damaged, or holds what wenhuo does not load.
        """
        folder = model_folder(str(model))
        card = read_card(folder)
        return cls(card, _opened(folder, card))

    @property
    def labels(self) -> list[str]:
        """Class names; their position is the class id."""
        return self.card.labels

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities of every class for raw texts, shape (n, classes); each row sums to 1."""
        if not texts:
            return np.zeros((0, len(self.labels)))
        found = self._probabilities(clean_texts(texts, self.card.cleaning))
        return tempered(found, self.card.temperature)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The most probable class of each raw text, or none where the model abstains."""
        return [self._prediction(row) for row in self.probabilities(texts)]

    def _prediction(self, row: Probabilities) -> Prediction:
        best, named = int(row.argmax()), dict(zip(self.labels, row.tolist(), strict=True))
        label = None if abstains(row, self.card.abstain_below) else self.labels[best]
        return Prediction(label, float(row[best]), named, self.labels[best])


def abstains(row: Probabilities, below: float | None) -> bool:
    """Whether no class of a row of probabilities, shape (classes,), reaches a threshold; never where there is none."""
    return below is not None and float(row.max()) < below


def model_folder(model: str) -> Path:
    """The folder of a model named by folder, ``models:/name@alias`` or ``models:/name/version``.

    Raises:
        ModelError: the registry has no such version.
    """
    if not model.startswith("models:/"):
        return Path(model)
    from wenhuo.tracking.registry import fetch_model

    return fetch_model(model)


def open_linear(folder: Path, card: Card) -> tuple[TfidfVectorizer, LinearModel]:
    """The n-grams of a linear model and its weights.

    Raises:
        ModelError: they are damaged or do not belong together.
    """
    from wenhuo.encoding import ngrams
    from wenhuo.models import linear

    if not isinstance(card.encoder, Ngrams):
        raise ModelError(f"{folder}: a linear model needs an encoder of kind ngrams", "train again")
    vectorizer = ngrams.load(folder, card.encoder)
    model = linear.load(folder)
    if model.weights.shape != (len(card.labels), len(vectorizer.vocabulary_)):
        raise ModelError(f"{folder}: the weights do not fit the vocabulary", "restore the folder with `dvc checkout`")
    return vectorizer, model


def open_transformer(folder: Path, card: Card) -> tuple[Tokenizer, Network, torch.device]:
    """The tokenizer of a transformer and its network, in evaluation mode on the best device of this machine.

    Raises:
        ModelError: they are damaged or do not belong together.
    """
    from wenhuo.encoding import tokens
    from wenhuo.models import transformer
    from wenhuo.models.devices import device_and_dtype

    if not isinstance(card.encoder, Tokens) or card.head is None:
        raise ModelError(f"{folder}: a transformer needs an encoder of kind tokens and a head", "train again")
    tokenizer = tokens.load(folder, card.encoder)
    network = transformer.load(folder, card.head, len(card.labels), card.adapter)
    device, _ = device_and_dtype("float32")
    return tokenizer, network.to(device), device


def _opened(folder: Path, card: Card) -> Callable[[list[str]], Probabilities]:
    """What gives cleaned texts their probabilities, at temperature 1."""
    if card.kind == "blend":
        return _blend(folder, card)
    return _linear(folder, card) if card.kind == "linear" else _transformer(folder, card)


def _blend(folder: Path, card: Card) -> Callable[[list[str]], Probabilities]:
    """The members, each at its own temperature; they clean texts as the blend does, so that this is done once."""
    from wenhuo.models.blend import blended

    members = [(_opened(place, member), member.temperature) for place, member in member_cards(folder, card).items()]
    weights = list((card.members or {}).values())
    return lambda texts: blended([tempered(ask(texts), degrees) for ask, degrees in members], weights)


def _linear(folder: Path, card: Card) -> Callable[[list[str]], Probabilities]:
    from wenhuo.encoding import ngrams

    vectorizer, model = open_linear(folder, card)
    return lambda texts: model.probabilities(ngrams.transform(vectorizer, texts))


def _transformer(folder: Path, card: Card) -> Callable[[list[str]], Probabilities]:
    from scipy.special import softmax

    from wenhuo.models import transformer

    tokenizer, network, device = open_transformer(folder, card)

    def probabilities(texts: list[str]) -> Probabilities:
        import torch

        rows = tokenizer.encode(texts)
        flat = [row for windows in rows for row in windows]
        scores = transformer.logits(network, flat, tokenizer.pad, device, torch.float32)
        counts = [len(windows) for windows in rows] if len(flat) > len(rows) else None
        pooled = transformer.pool(torch.from_numpy(scores), counts, tokenizer.options.pool).numpy()
        return np.asarray(softmax(pooled.astype(np.float64), axis=1))

    return probabilities
