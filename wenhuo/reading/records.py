"""What every reader gives: chunks of labelled texts with their row numbers, and the rows that could not be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from wenhuo.reading.labels import plain_text_label

MOST_CONTENT = 200

MISSING_COLUMNS = "missing columns"
EXTRA_COLUMNS = "extra columns"
BAD_QUOTES = "quotes do not match"
BAD_JSON = "not valid JSON"
NOT_AN_OBJECT = "not a JSON object"
NOT_ONE_VALUE = "not one value but several"
SEVERAL_LABELS = "several labels"
NO_TEXT = "no text"
NO_LABEL = "no label"
NUL = "a NUL character"
BAD_CHARACTERS = "undecodable characters"
CUT_OFF = "the last line is cut off"
HEADER_AGAIN = "the header again"
NO_ANNOTATION = "not annotated"
CANCELLED = "the annotation was cancelled"
DISAGREE = "annotators disagree"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Rejected(NamedTuple):
    r"""A row that could not be read.

    Attributes:
        row: its 1-based line or record number.
        reason: why, one of a few phrases, so that they can be counted.
        content: the beginning of what was there, with undecodable bytes as ``\xNN``.
    """

    row: int
    reason: str
    content: str


@dataclass
class Chunk:
    """Rows read from one file.

    Attributes:
        texts: the texts.
        labels: their labels, as many.
        rows: their line or record numbers, as many.
        rejected: what could not be read.
        blank: how many lines were empty.
        again: how many further annotations say the same of a text as the first one.
    """

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    blank: int = 0
    again: int = 0


def reject(row: int, reason: str, content: str) -> Rejected:
    """A rejected row; where bytes could not be decoded, that is the reason rather than what followed from it."""
    if _LONE_SURROGATE.search(content):
        reason = BAD_CHARACTERS
    shown = content[:MOST_CONTENT].replace("\0", "\\x00")
    return Rejected(row, reason, _LONE_SURROGATE.sub(_shown_byte, shown)[:MOST_CONTENT])


def why_not_one(label: Any) -> str:
    """Why a record whose text or label is no plain value has none."""
    return SEVERAL_LABELS if isinstance(label, (list, tuple)) and len(label) > 1 else NOT_ONE_VALUE


def settle(
    texts: Sequence[str | None],
    labels: Sequence[str | None],
    rows: Sequence[int],
    rejected: list[Rejected],
    blank: int = 0,
) -> Chunk:
    """A chunk of rows whose text and label are there and sound; the others join the rejected ones.

    Labels lose the white space around them, and ``1.0`` is ``1``. Texts stay as they were read, blank ones too.
    """
    plain = {label: plain_text_label(label) for label in set(labels) if label is not None}
    if None not in texts and None not in labels and "" not in plain.values():
        sound = [text for text in texts if text is not None]
        if _fault("".join(sound)) is None and _fault("".join(plain)) is None:
            return Chunk(sound, [plain[label] for label in labels if label is not None], list(rows), rejected, blank)
    chunk = Chunk(rejected=rejected, blank=blank)
    for text, label, row in zip(texts, labels, rows, strict=True):
        if reason := _why_not(text, label and plain[label]):
            rejected.append(reject(row, reason, _content(text, label)))
        elif text is not None and label is not None:
            chunk.texts.append(text)
            chunk.labels.append(plain[label])
            chunk.rows.append(row)
    rejected.sort()
    return chunk


def _why_not(text: str | None, label: str | None) -> str | None:
    if text is None:
        return NO_TEXT
    return (_fault(label) or _fault(text)) if label else NO_LABEL


def _fault(text: str) -> str | None:
    if "\0" in text:
        return NUL
    try:
        text.encode()
    except UnicodeEncodeError:
        return BAD_CHARACTERS
    return None


def _content(text: str | None, label: str | None) -> str:
    """Text and label in one line, so that a damaged label after a long text is still seen."""
    label_shown = (label or "")[:MOST_CONTENT]
    return f"{(text or '')[: MOST_CONTENT - len(label_shown) - 1]}\t{label_shown}"


def _shown_byte(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
