"""Token ids for transformers: a checkpoint's own tokenizer, or a character vocabulary made from the train rows.

Texts beyond ``max_tokens`` are cut, or divided into windows, by one declared policy: the same in training, evaluation
and serving.
"""

from __future__ import annotations

import shutil
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, BertTokenizer

from wenhuo.encoding.options import Keep, Tokens
from wenhuo.errors import ModelError, SourceError, WenhuoError
from wenhuo.files import read_json, write_json

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROWS_AT_ONCE = 2000
CONTINUED = tuple(f"##{c}" for c in string.ascii_lowercase + string.digits)
"""Any Latin word or number can be spelled with these, so it never becomes an unknown token."""

VOCABULARY = "vocab.txt"
CHECKPOINT = "checkpoint.json"


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer with its length policy.

    Attributes:
        inner: the tokenizer of transformers.
        before: special tokens that open a row (``[CLS]``), after: those that close it (``[SEP]``).
        options: the length policy among them.
        checkpoint: name or folder of the checkpoint it came from, and its commit or the hash of its content; None for
            ``corpus``.
    """

    inner: Any
    before: tuple[int, ...]
    after: tuple[int, ...]
    options: Tokens
    checkpoint: dict[str, str | None] | None = None

    @property
    def pad(self) -> int:
        """The id that fills short rows."""
        return int(self.inner.pad_token_id or 0)

    @property
    def room(self) -> int:
        """Tokens of a text that one row has room for."""
        return self.options.max_tokens - len(self.before) - len(self.after)

    def lengths_and_rows(self, texts: Sequence[str]) -> Iterator[tuple[int, list[list[int]]]]:
        """For each text: how many tokens it has uncut, special ones included, and its rows of ids by the policy.

        A text has one row, or as many as it has windows.
        """
        for start in range(0, len(texts), ROWS_AT_ONCE):
            chunk = list(texts[start : start + ROWS_AT_ONCE])
            for ids in self.inner(chunk, add_special_tokens=False, return_attention_mask=False)["input_ids"]:
                uncut = len(ids) + len(self.before) + len(self.after)
                yield uncut, [[*self.before, *part, *self.after] or [self.pad] for part in self.parts(ids)]

    def parts(self, ids: list[int]) -> list[list[int]]:
        """What becomes a text's rows: its ids, or their places, cut or divided by the policy; special ones apart."""
        if self.options.keep == "windows":
            return windows(ids, self.room, self.stride, self.options.most_windows)
        return [cut(ids, self.room, self.options.keep)]

    @property
    def stride(self) -> int:
        """Tokens from one window's start to the next."""
        return self.options.stride or max(1, self.room // 2)

    @property
    def longest(self) -> int:
        """Tokens of the longest text that loses none, special ones included."""
        more = (self.options.most_windows - 1) * self.stride if self.options.keep == "windows" else 0
        return self.options.max_tokens + more

    def encode(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """The rows of each text."""
        return [rows for _, rows in self.lengths_and_rows(texts)]


def windows(ids: list[int], room: int, stride: int, most: int) -> list[list[int]]:
    """Overlapping parts of ``room`` ids, ``stride`` apart, at most so many; the last of a text ends where it ends."""
    starts = range(0, max(1, len(ids) - room + stride), stride)[:most]
    return [ids[start : start + room] for start in (max(0, min(s, len(ids) - room)) for s in starts)]


def cut(ids: list[int], room: int, keep: Keep) -> list[int]:
    """At most ``room`` of the ids: the first, the last, or the first and last halves."""
    if len(ids) <= room:
        return ids
    if keep == "head":
        return ids[:room]
    if keep == "tail":
        return ids[len(ids) - room :]
    tail = room // 2
    return ids[: room - tail] + ids[len(ids) - tail :]


def character_vocabulary(texts: Iterable[str], size: int) -> list[str]:
    """Entries of a BERT vocabulary: special tokens, pieces that spell Latin words, then the most frequent words.

    A "word" is what BERT's own pre-tokenizer yields: a single Chinese character, a mark of punctuation, a Latin word.
    Ties are broken by code point, so that the same texts in any order give the same vocabulary.
    """
    splitter = BertTokenizer(vocab={token: i for i, token in enumerate(SPECIAL)}).backend_tokenizer
    runs: Counter[str] = Counter()  # the normaliser puts spaces around Chinese characters
    source = iter(texts)
    while chunk := list(islice(source, ROWS_AT_ONCE)):
        runs.update(splitter.normalizer.normalize_str("\n".join(chunk)).split())
    counts: Counter[str] = Counter()
    for run, count in runs.items():
        for word, _ in splitter.pre_tokenizer.pre_tokenize_str(run):
            counts[word] += count
    fixed = [*SPECIAL, *CONTINUED, *(piece[2:] for piece in CONTINUED)]
    known = set(fixed)
    frequent = sorted((-count, word) for word, count in counts.items() if count > 1 and word not in known)
    return [*fixed, *(word for _, word in frequent)][:size]


def from_corpus(texts: Iterable[str], options: Tokens) -> Tokenizer:
    """A character tokenizer made from train texts."""
    entries = character_vocabulary(texts, options.vocabulary)
    return _wrap(BertTokenizer(vocab={token: i for i, token in enumerate(entries)}), options)


def from_checkpoint(options: Tokens) -> Tokenizer:
    """The tokenizer of a checkpoint, from a folder or a hub.

    Raises:
        SourceError: there is no such checkpoint, or the hub cannot be reached.
    """
    from wenhuo.checkpoints import locate

    found = locate(options.tokenizer, options.revision)
    inner = _opened(found.folder, options.tokenizer, "name another checkpoint", SourceError)
    return _wrap(inner, options, {"name": options.tokenizer, "commit": found.commit})


def _opened(folder: Path, name: str, hint: str, kind: type[WenhuoError]) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # what other people wrote may break transformers anywhere
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise kind(f"{name} has no tokenizer that can be loaded: {reason}", hint) from None


def _wrap(inner: Any, options: Tokens, checkpoint: dict[str, str | None] | None = None) -> Tokenizer:
    inner.model_max_length = int(1e9)  # the length policy is ours; without this every long text draws a warning
    bare = inner("中", add_special_tokens=False)["input_ids"]
    whole_row = inner("中", add_special_tokens=True)["input_ids"]
    start = next(i for i in range(len(whole_row)) if whole_row[i : i + len(bare)] == bare)
    before, after = tuple(whole_row[:start]), tuple(whole_row[start + len(bare) :])
    return Tokenizer(inner, before, after, options, checkpoint)


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the tokenizer's files."""
    folder.mkdir(parents=True, exist_ok=True)
    if tokenizer.checkpoint is None:
        entries = sorted(tokenizer.inner.get_vocab().items(), key=lambda item: item[1])
        (folder / VOCABULARY).write_text("".join(f"{token}\n" for token, _ in entries), encoding="utf-8")
        return
    tokenizer.inner.save_pretrained(folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    write_json(folder / CHECKPOINT, tokenizer.checkpoint)


def load(folder: Path, options: Tokens) -> Tokenizer:
    """The tokenizer that :func:`save` wrote; nothing is fetched.

    Raises:
        ModelError: it is missing or damaged.
    """
    hint = "restore the folder with `dvc checkout`"
    if (folder / CHECKPOINT).exists():
        return _wrap(_opened(folder, str(folder), hint, ModelError), options, read_json(folder / CHECKPOINT))
    try:
        entries = (folder / VOCABULARY).read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError):
        raise ModelError(f"{folder / VOCABULARY} is missing or damaged", hint) from None
    return _wrap(BertTokenizer(vocab={token: i for i, token in enumerate(entries)}), options)
