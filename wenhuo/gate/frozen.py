"""The frozen test set: the rows that champion and challengers are measured on, known by a digest of each row.

A digest is of a row's id, label and text, so that a corrected label or another way of cleaning makes another row. When
rows are added to test, the frozen ones are still among them and the comparison goes on with those; when one of them is
gone or changed, it is another test set.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b, sha256

import numpy as np
from numpy.typing import NDArray

DIGEST_BYTES = 8  # two of a million rows share one with a probability of 3e-8
Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Frozen:
    """The digests of a test set's rows in rising order, shape (n,), and the hash of them all."""

    digests: Digests

    @property
    def hash(self) -> str:
        """The SHA-256 of the digests, in hexadecimal: equal for the same rows in any order."""
        return sha256(self.digests.astype("<u8").tobytes()).hexdigest()

    def packed(self) -> str:
        """The digests as text, 11 characters a row."""
        return base64.b64encode(self.digests.astype("<u8").tobytes()).decode("ascii")

    @classmethod
    def unpack(cls, text: str) -> Frozen:
        """The test set that :meth:`packed` wrote.

        Raises:
            ValueError: the text is none.
        """
        return cls(np.frombuffer(base64.b64decode(text, validate=True), dtype="<u8").astype(np.uint64))


def digests(rows: Iterable[tuple[str, str, str]]) -> Digests:
    """A digest of each row (id, label, text), shape (n,), in the order of the rows."""
    hashed = b"".join(
        blake2b("\0".join(row).encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest() for row in rows
    )
    return np.frombuffer(hashed, dtype="<u8").astype(np.uint64)


def freeze(of_rows: Digests) -> Frozen:
    """The test set that these rows are."""
    return Frozen(np.sort(of_rows))


@dataclass(frozen=True)
class Kept:
    """Which rows are measured, shape (n,); the set that they are; why they may not be measured, if so."""

    rows: NDArray[np.bool_]
    frozen: Frozen
    refusal: str = ""


def keep(at_hand: Digests, frozen: str | None, frozen_rows: Frozen | None, chosen: str | None) -> Kept:
    """The rows that a challenger is to be measured on.

    Args:
        at_hand: the digests of the test rows there are.
        frozen: the hash of the champion's test set; None without a champion, which freezes all rows there are.
        frozen_rows: that test set, where the champion brought it along.
        chosen: the beginning of the hash of the test set that a person froze anew.
    """
    now = freeze(at_hand)
    whole = Kept(np.ones(len(at_hand), dtype=np.bool_), now)
    if frozen in (None, now.hash) or (chosen is not None and now.hash.startswith(chosen)):
        return whole
    among = np.isin(at_hand, frozen_rows.digests) if frozen_rows is not None else np.zeros(len(at_hand), np.bool_)
    if frozen_rows is not None and int(among.sum()) == len(frozen_rows.digests):
        return Kept(among, frozen_rows)
    return Kept(whole.rows, now, _refusal(frozen_rows, int(among.sum()), now.hash, chosen))


def _refusal(frozen: Frozen | None, left: int, now: str, chosen: str | None) -> str:
    lost = "" if frozen is None else f": {len(frozen.digests) - left:,} of its {len(frozen.digests):,} rows are gone"
    wrong = "" if chosen is None else f" (register.test_set is {chosen[:12]}, which is neither)"
    return (
        f"another test set than the champion's{lost}{' or changed' if lost else ''}{wrong}; "
        f"to judge both by this one from now on set register.test_set to {now[:12]}"
    )
