"""A transformer opened for explaining: which characters a token is made of, and what a text is to the last layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from wenhuo.encoding.tokens import Tokenizer
from wenhuo.errors import ModelError
from wenhuo.explaining.explanation import Attribution, Floats, Mix
from wenhuo.explaining.gradients import Decision, decide, integrate, integrate_target, without_last_layer
from wenhuo.models import transformer
from wenhuo.models.classifier import open_transformer
from wenhuo.models.folder import Card
from wenhuo.models.transformer import Network

SPECIAL = -1


@dataclass(frozen=True)
class Rows:
    """A text as rows of token ids.

    Attributes:
        ids: of each row, special tokens included.
        tokens: which of the text's tokens stands at each place of a row; -1 is a special one.
        spans: start and end of each of the text's tokens in the text.
    """

    ids: list[list[int]]
    tokens: list[list[int]]
    spans: list[tuple[int, int]]


@dataclass(frozen=True)
class OpenedTransformer:
    """A transformer: its tokenizer, its network and its temperature."""

    tokenizer: Tokenizer
    network: Network
    device: torch.device
    temperature: float = 1.0
    kind: str = "the vectors that the model's last layer reads"
    rows_at_once: int = 512
    looks_at: int = 2_000  # 20 s of the small backbone on two cores

    @classmethod
    def load(cls, folder: Path, card: Card) -> OpenedTransformer:
        """The model in a folder.

        Raises:
            ModelError: it is damaged, or its tokenizer does not say what a token is made of.
        """
        tokenizer, network, device = open_transformer(folder, card)
        if not tokenizer.inner.is_fast:
            what = f"{folder}: its tokenizer does not say which characters a token is made of"
            raise ModelError(what, "such a model cannot be explained")
        return cls(tokenizer, network, device, card.temperature)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """What the last layer reads, the mean over the windows of a text."""
        rows = self.tokenizer.encode(texts)
        flat = [row for windows in rows for row in windows]
        with without_last_layer(self.network):
            found = transformer.logits(self.network, flat, self.tokenizer.pad, self.device, torch.float32)
        pooled = transformer.pool(torch.from_numpy(found), [len(windows) for windows in rows], "mean").double().numpy()
        return np.asarray(pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12))

    def attribute(self, text: str, label: int | None) -> Attribution:
        """What each character adds to the log-odds of a label."""
        rows, decision = self._decision(text)
        probabilities = np.asarray(softmax(decision.logits().cpu().double().numpy()))
        chosen = int(probabilities.argmax()) if label is None else label
        added, points = integrate(decision, chosen)
        spread, read = spread_over(text, rows, added.numpy())
        method = f"integrated gradients at {points} points"
        return Attribution(chosen, probabilities, *decision.ends(chosen), spread, read, method)

    def ends(self, text: str) -> tuple[Floats, Floats]:
        """The logits of a text and of tokens that say nothing."""
        found, nothing = (logits.cpu().double().numpy() for logits in self._decision(text)[1].both())
        return found, nothing

    def attribute_mix(self, text: str, shares: Floats) -> Mix:
        """What each character adds to a sum of the log-probabilities of the classes."""
        rows, decision = self._decision(text)
        told = torch.from_numpy(shares)
        added, points = integrate_target(decision, lambda logits: logits @ told.to(logits))
        return Mix(*spread_over(text, rows, added.numpy()), f"integrated gradients at {points} points")

    def _decision(self, text: str) -> tuple[Rows, Decision]:
        rows, inner = rows_of(self.tokenizer, text), self.tokenizer
        own = [[token != SPECIAL for token in row] for row in rows.tokens]
        return rows, decide(self.network, rows.ids, own, inner.options.pool, inner.pad, self.temperature)


def rows_of(tokenizer: Tokenizer, text: str) -> Rows:
    """A cleaned text as the network gets it, and where its tokens stand."""
    found = tokenizer.inner(text, add_special_tokens=False, return_attention_mask=False, return_offsets_mapping=True)
    parts = tokenizer.parts(list(range(len(found["input_ids"]))))
    before, after = [SPECIAL] * len(tokenizer.before), [SPECIAL] * len(tokenizer.after)
    ids = [[*tokenizer.before, *(found["input_ids"][i] for i in part), *tokenizer.after] for part in parts]
    tokens = [[*before, *part, *after] for part in parts]
    if not any(ids):  # a model without special tokens still reads one token of nothing
        ids, tokens = [[tokenizer.pad]], [[SPECIAL]]
    return Rows(ids, tokens, [(int(start), int(end)) for start, end in found["offset_mapping"]])


def spread_over(text: str, rows: Rows, added: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Parts of tokens as parts of characters: equal shares for the characters that a token is made of.

    Args:
        text: n characters.
        rows: the text's tokens.
        added: what each token adds, shape (rows, tokens).

    Returns:
        The characters' parts, shape (n,), and whether the model reads a character, likewise. A character that no token
        is made of (a space) counts as read.
    """
    spread, read = np.zeros(len(text)), np.ones(len(text), dtype=np.bool_)
    seen = {token for row in rows.tokens for token in row}
    for token, (start, end) in enumerate(rows.spans):
        if token not in seen:
            read[start:end] = False
    for row, tokens in enumerate(rows.tokens):
        for place, token in enumerate(tokens):
            if token != SPECIAL:
                start, end = _characters(rows.spans[token], len(text))
                spread[start:end] += added[row, place] / (end - start)
                read[start:end] = True
    return spread, read


def _characters(span: tuple[int, int], length: int) -> tuple[int, int]:
    """A token's characters, at least one: some tokenizers put tokens of no character between others."""
    start = min(span[0], length - 1)
    return start, max(span[1], start + 1)
