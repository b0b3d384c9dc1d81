"""What a candidate's encoder does not see of a text: what it cuts, and the characters that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wenhuo.encoding.options import EncoderOptions, Ngrams, Tokens
from wenhuo.models.folder import Card, member_cards
from wenhuo.text.cleaning import clean_texts

Mask = NDArray[np.bool_]


def unseen(folder: Path, card: Card, texts: Sequence[str]) -> dict[str, Mask]:
    """For each text: is it ``cut``, and does it hold something ``unknown``? Shape (n,) each.

    Args:
        folder: the model's.
        card: what it says of itself.
        texts: raw ones, which are cleaned as before they are classified.

    Returns:
        Only what is known: n-grams cut nothing, and those without single characters have no unknown ones. Of a blend
        whatever is so for one of its members.
    """
    cleaned = clean_texts(texts, card.cleaning)
    if card.encoder is not None:
        return _unseen(folder, card.encoder, cleaned)
    found: dict[str, Mask] = {}
    for place, member in member_cards(folder, card).items():
        masks = {} if member.encoder is None else _unseen(place, member.encoder, cleaned)
        found |= {what: mask | found.get(what, False) for what, mask in masks.items()}
    return found


def _unseen(folder: Path, options: EncoderOptions, texts: Sequence[str]) -> dict[str, Mask]:
    if isinstance(options, Tokens):
        return _by_tokens(folder, options, texts)
    single = options.unit == "characters" and options.shortest == 1
    return {"unknown": _by_ngrams(folder, options, texts)} if single else {}


def _by_tokens(folder: Path, options: Tokens, texts: Sequence[str]) -> dict[str, Mask]:
    from wenhuo.encoding import tokens

    tokenizer = tokens.load(folder, options)
    unknown, longest = tokenizer.inner.unk_token_id, tokenizer.longest
    found = [
        (uncut > longest, any(unknown in row for row in rows)) for uncut, rows in tokenizer.lengths_and_rows(texts)
    ]
    cut, strange = np.array(found, dtype=np.bool_).reshape(-1, 2).T
    return {"cut": cut} if unknown is None else {"cut": cut, "unknown": strange}


def _by_ngrams(folder: Path, options: Ngrams, texts: Sequence[str]) -> Mask:
    from wenhuo.encoding import ngrams

    known = {gram for gram in ngrams.load(folder, options).vocabulary_ if len(gram) == 1} | {" "}
    return np.array([not known.issuperset(text.lower()) for text in texts], dtype=np.bool_)
