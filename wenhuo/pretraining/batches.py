"""Batches of a pretraining: which rows, what of them is hidden, all as arrays of one shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from wenhuo.encoding.tokens import Tokenizer
from wenhuo.pretraining.masking import hidden, replaced, uniform
from wenhuo.pretraining.options import Pretraining
from wenhuo.pretraining.pairs import Pairs
from wenhuo.pretraining.store import Integers, Rows
from wenhuo.pretraining.tokens import ALONE, sentence_ends
from wenhuo.training.batches import Plan

Item = TypeVar("Item")
Made = TypeVar("Made")

HELD_OUT_SHARE = 0.05
MEASURING = 1 << 40
"""The number of the pass whose draws mask the held-out rows: no pass over the text will have it."""


class Batch(NamedTuple):
    """Rows filled up to one length.

    Attributes:
        ids: shape (rows, tokens), some of them hidden.
        mask: 1 where there is a token, shape (rows, tokens).
        second: 1 for the tokens of the second part of a pair, shape (rows, tokens).
        places: of the hidden tokens in the flattened rows, ascending, shape (hidden,).
        targets: the hidden ids, shape (hidden,).
        labels: of the pairs: 1 where they were changed, -100 for a row that is none, shape (rows,).
        drawn: a number in [0, 1) for each hidden token, by which a generator chooses; 0 without one, shape (hidden,).
    """

    ids: Integers
    mask: Integers
    second: Integers
    places: Integers
    targets: Integers
    labels: Integers
    drawn: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Text:
    """The rows of a pretraining and how they become batches.

    Attributes:
        rows: all of them; the corpus's own first.
        own: how many rows are the corpus's own.
        tokenizer: what their ids mean.
        options: the pretraining's.
        seed: of every draw.
    """

    rows: Rows
    own: int
    tokenizer: Tokenizer
    options: Pretraining
    seed: int

    @cached_property
    def held_out(self) -> Integers:
        """The rows that loss and accuracy are measured on: those of the texts with the smallest hashes.

        Equal texts have equal hashes, so that none stands on both sides; of rows that are joined none is held out.
        """
        allowed = self.rows.lengths if self.options.own_text else self.rows.lengths[self.own :]
        most = min(self.options.held_out_tokens, HELD_OUT_SHARE * float(allowed.sum()))
        first = 0 if self.options.own_text else self.own
        order = first + np.argsort(self.rows.keys[first:], kind="stable")
        if self.options.join:
            order = order[self.rows.keys[order] < ALONE]
        count = int(np.searchsorted(np.cumsum(self.rows.lengths[order]), most, side="right"))
        if count == 0:
            return np.zeros(0, np.int64)
        last = self.rows.keys[order[count - 1]]
        return np.sort(order[self.rows.keys[order] <= last])

    @cached_property
    def train(self) -> Integers:
        """The rows of one pass; the corpus's own stand there as often as was asked for."""
        learnt = np.ones(len(self.rows.lengths), dtype=np.bool_)
        learnt[self.held_out] = False
        every = np.flatnonzero(learnt)
        own = every[every < self.own]
        return np.concatenate([np.tile(own, self.options.own_text), every[every >= self.own]])

    @cached_property
    def lengths(self) -> Integers:
        """Tokens of the rows of a pass, special ones included."""
        return self.rows.lengths[self.train] + self._special

    @property
    def _special(self) -> int:
        pair = self.options.sentences != "none"
        return len(self.tokenizer.before) + len(self.tokenizer.after) + pair

    def plan(self, epoch: int) -> list[Integers]:
        """Numbers of the rows of each batch of a pass."""
        return Plan(self.lengths, self.seed, 1, None, self.options.batch_tokens).batches(epoch)

    def batch(self, numbers: Integers, epoch: int) -> Batch:
        """A batch of a pass, by the numbers of its rows in it."""
        return self._batch(self.train[numbers], numbers, epoch)

    def measured(self, tokens: int) -> list[Batch]:
        """The held-out rows in batches of at most so many tokens, always masked alike."""
        lengths = self.rows.lengths[self.held_out] + self._special
        plan = Plan(lengths, self.seed, 1, None, tokens).batches(0) if len(lengths) else []
        return [self._batch(self.held_out[numbers], numbers, MEASURING) for numbers in plan]

    def _batch(self, rows: Integers, numbers: Integers, epoch: int) -> Batch:
        flat = self._pairs.take(rows, epoch, numbers)
        owner = np.repeat(np.arange(len(rows)), flat.lengths)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(flat.lengths) - flat.lengths, flat.lengths)
        drawn = self._draw(epoch, numbers[owner], place)
        chosen = hidden(flat.begins, owner, drawn[:2], self.options.mask)
        if self.options.join:  # what stands between two texts is not guessed
            chosen = chosen[~np.isin(flat.ids[chosen], self.tokenizer.after[:1])]
        ids = flat.ids.copy()
        ids[chosen] = replaced(flat.ids[chosen], drawn[2:, chosen], self.tokenizer.inner.mask_token_id, self._words)
        paired = np.zeros(len(rows), np.int64)
        np.maximum.at(paired, owner, flat.second)
        columns = place + len(self.tokenizer.before) + flat.second * len(self._separator)
        sizes = flat.lengths + len(self.tokenizer.before) + len(self.tokenizer.after) + paired * len(self._separator)
        filled, mask, second = self._filled(ids, owner, columns, sizes, flat.second)
        places = owner[chosen] * filled.shape[1] + columns[chosen]
        choice = drawn[4, chosen] if len(drawn) > 4 else np.zeros(len(chosen))
        return Batch(filled, mask, second, places, flat.ids[chosen], flat.labels, choice)

    def _draw(self, epoch: int, numbers: Integers, place: Integers) -> npt.NDArray[np.float64]:
        """Numbers for each token: two choose what is hidden, two what is put in its place, a fifth is a generator's."""
        count = 5 if self.options.objective == "replaced" else 4
        return np.stack([uniform(self.seed, epoch, numbers, 8 + which, place) for which in range(count)])

    def _filled(
        self, ids: Integers, owner: Integers, columns: Integers, sizes: Integers, second: npt.NDArray[np.bool_]
    ) -> tuple[Integers, Integers, Integers]:
        """Ids with their special tokens, where there are tokens, and where the second part is; (rows, tokens) each."""
        shape = (len(sizes), int(sizes.max()))
        mask = (np.arange(shape[1]) < sizes[:, None]).astype(np.int64)
        filled = np.full(shape, self.tokenizer.pad, dtype=np.int64)
        before, after, separator = self.tokenizer.before, self.tokenizer.after, self._separator
        filled[:, : len(before)] = before
        for i, token in enumerate(after):
            filled[np.arange(len(sizes)), sizes - len(after) + i] = token
        filled[owner, columns] = ids
        starts = np.flatnonzero(second & (np.diff(owner, prepend=-1) + np.diff(second, prepend=False).astype(int) > 0))
        for i, token in enumerate(separator):
            filled[owner[starts], columns[starts] - len(separator) + i] = token
        first = np.full(len(sizes), shape[1])
        first[owner[starts]] = columns[starts]
        return filled, mask, ((np.arange(shape[1]) >= first[:, None]) & (mask == 1)).astype(np.int64)

    @cached_property
    def _pairs(self) -> Pairs:
        kind = self.options.sentences
        ends = sentence_ends(self.tokenizer.inner) if kind != "none" else (np.zeros(0, np.int64),) * 2
        return Pairs(self.rows, ends, kind, self.seed)

    @property
    def _separator(self) -> tuple[int, ...]:
        return self.tokenizer.after[:1] if self.options.sentences != "none" else ()

    @cached_property
    def _words(self) -> Integers:
        """The ids that are no special tokens."""
        special = set(self.tokenizer.inner.all_special_ids)
        return np.array([i for i in range(len(self.tokenizer.inner)) if i not in special], dtype=np.int64)


def ahead(make: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What ``make`` makes of each item, the next one in a thread while the caller works on this one."""
    with ThreadPoolExecutor(1) as pool:
        waiting: Future[Made] | None = None
        for item in items:
            coming = pool.submit(make, item)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
