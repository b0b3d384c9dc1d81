"""From gathered texts to rows of ids on disk: the vocabulary, the words, the cut into rows."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from transformers import BertTokenizer

from wenhuo.encoding.options import Tokens
from wenhuo.encoding.tokens import Tokenizer, from_checkpoint, from_corpus
from wenhuo.errors import ModelError
from wenhuo.pretraining.masking import uniform
from wenhuo.pretraining.options import SCRATCH, Pretraining
from wenhuo.pretraining.store import Chunk, Integers
from wenhuo.text.segmentation import segment

TEXTS_AT_ONCE = 2000

ALONE = (1 << 32) // 10
"""Texts with a smaller hash share no row, and only such are held out: a twentieth of the tokens at most."""

ROOMS = 4
"""Tells the draws of how much room a row has from others."""


def make_tokenizer(options: Pretraining, texts: Iterable[str]) -> Tokenizer:
    """The checkpoint's tokenizer, or one of the characters of the texts and of pieces of Latin words.

    Raises:
        SourceError: the checkpoint cannot be found or read.
        ModelError: its tokenizer knows no [MASK], or does not say where its tokens stand.
    """
    name = "corpus" if options.start == SCRATCH else options.start
    chosen = Tokens(kind="tokens", tokenizer=name, revision=options.revision, vocabulary=options.vocabulary)
    if options.start == SCRATCH:
        return from_corpus(texts, chosen)
    made = from_checkpoint(chosen)
    if made.inner.mask_token_id is None:
        raise ModelError(f"the tokenizer of {name} has no mask token", "go on from an encoder such as BERT or RoBERTa")
    if not hasattr(made.inner, "backend_tokenizer"):
        raise ModelError(f"the tokenizer of {name} has no fast form", "name a checkpoint with a tokenizer.json")
    return made


def row_tokens(options: Pretraining, tokenizer: Tokenizer) -> int:
    """Tokens of a text that one row has room for; a pair of sentences has a separator more."""
    return options.max_tokens - len(tokenizer.before) - len(tokenizer.after) - (options.sentences != "none")


def chunks(texts: Iterable[str], tokenizer: Tokenizer, options: Pretraining) -> Iterator[Chunk]:
    """The rows of the texts, some texts at a time."""
    room, source = row_tokens(options, tokenizer), iter(texts)
    backend = tokenizer.inner.backend_tokenizer
    while lines := list(islice(source, TEXTS_AT_ONCE)):
        found = backend.encode_batch(lines, add_special_tokens=False)
        ids = np.fromiter(chain.from_iterable(one.ids for one in found), dtype=np.uint32)
        sizes = np.array([len(one) for one in found], dtype=np.int64)
        begins = _begins(lines, found, sizes) if options.whole_words else np.ones(len(ids), dtype=np.bool_)
        lengths, parts = _cut(sizes, room)
        keys = np.array([zlib.crc32(line.encode()) for line in lines], dtype=np.uint32)
        chunk = Chunk(ids, begins, lengths, np.repeat(keys, parts))
        yield joined(chunk, tokenizer.after[0], room) if options.join and tokenizer.after else chunk


def joined(chunk: Chunk, separator: int, room: int) -> Chunk:
    """Rows that follow each other as one while there is room, a separator between them (Liu et al. 2019).

    How much room a row has is drawn anew for each, evenly, so that short rows are learnt from as well as long ones; a
    text that is longer is a row by itself. Texts that may be held out stay by themselves.

    Args:
        chunk: rows of one text each.
        separator: the id of the token between two.
        room: tokens of a row at most.
    """
    most = (uniform(ROOMS, chunk.keys.astype(np.int64)) * room).astype(np.int64) + 1  # of a row that begins with this
    starts, filled, limit = np.ones(len(chunk.lengths), dtype=np.bool_), 0, 0
    sizes, alone, rooms = chunk.lengths.tolist(), (chunk.keys < ALONE).tolist(), most.tolist()
    for number, size in enumerate(sizes):
        if not alone[number] and filled + 1 + size <= limit:
            starts[number], filled = False, filled + 1 + size
        else:
            filled, limit = size, 0 if alone[number] else rooms[number]
    ends = np.cumsum(chunk.lengths)
    gaps = (ends - chunk.lengths)[~starts]
    lengths = np.add.reduceat(chunk.lengths + ~starts, np.flatnonzero(starts)) if len(starts) else chunk.lengths
    ids, begins = np.insert(chunk.ids, gaps, separator), np.insert(chunk.begins, gaps, True)
    return Chunk(ids, begins, lengths, chunk.keys[starts])


def _begins(lines: list[str], found: list[Any], sizes: Integers) -> npt.NDArray[np.bool_]:
    """Whether each token stands where jieba begins a word."""
    bounds = np.zeros(sum(map(len, lines)) + 1, dtype=np.bool_)
    words = np.fromiter((len(word) for line in lines for word in segment(line)), dtype=np.int64)
    bounds[np.cumsum(words) - words] = True
    start = np.cumsum([0, *(len(line) for line in lines[:-1])])
    place = np.fromiter((place for one in found for place, _ in one.offsets), dtype=np.int64)
    begins: npt.NDArray[np.bool_] = bounds[place + np.repeat(start, sizes)]
    return begins


def _cut(sizes: Integers, room: int) -> tuple[Integers, Integers]:
    """Each text as rows of at most ``room`` tokens and of like lengths: the rows' lengths, and how many a text has."""
    parts = -(-sizes // room)
    bounds = [
        np.linspace(0, size, count + 1).round().astype(np.int64) for size, count in zip(sizes, parts, strict=True)
    ]
    lengths = [after - before for one in bounds for before, after in pairwise(one.tolist())]
    return np.array(lengths, dtype=np.int64), parts


def sentence_ends(inner: BertTokenizer) -> tuple[Integers, Integers]:
    """Ids of the marks that end a sentence, and of those that end a part of one."""
    strong, weak = (
        [i for i in inner.convert_tokens_to_ids(list(marks)) if i is not None and i != inner.unk_token_id]
        for marks in ("。！？!?…", "；;，,")
    )
    return np.array(strong, dtype=np.int64), np.array(weak, dtype=np.int64)
