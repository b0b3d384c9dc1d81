"""What a network says before its first step, kept beside the model for a page of before and after.

The rows are some of validation and never of test, drawn by a hash of their ids: nobody chooses them, and most stay the
same when rows are added. They are scored from the initial weights that the seed gives, before any checkpoint is
restored, so that a killed training ends with the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wenhuo.files import read_json, write_json

if TYPE_CHECKING:
    from torch import nn

    from wenhuo.training.sources import Source

FILE = "before.json"
ROWS = 100
"""Rows drawn. Forward alone, once a training: about as much as one step of 32 rows forward and back."""
DIGITS = 6  # the last bits of a sum depend on the machine

Answers = dict[str, list[float]]


def drawn(ids: Sequence[str], labels: Sequence[Any], most: int = ROWS) -> list[int]:
    """Positions of rows in the order of their ids' hashes, equally many of each label as far as they go.

    Args:
        ids: of all rows of a split.
        labels: their labels.
        most: how many at most.

    Returns:
        The first row of each label, then the second of each, and so on. The order of the rows changes nothing.
    """
    seen: Counter[Any] = Counter()
    ranked = []
    for key, row in sorted((sha256(name.encode()).hexdigest(), row) for row, name in enumerate(ids)):
        ranked.append((seen[labels[row]], key, row))
        seen[labels[row]] += 1
    return [row for _, _, row in sorted(ranked)[:most]]


def ask(network: nn.Module, source: Source, ids: Sequence[str]) -> Answers:
    """What the network says now about the rows drawn; no random number is drawn for that.

    Args:
        network: the one behind the source; left in evaluation mode.
        source: rows that can be scored.
        ids: of all its rows.

    Returns:
        Id to the probability of each class, in the order of the classes.
    """
    from scipy.special import softmax

    network.eval()
    rows = np.array(drawn(ids, source.rows.labels.tolist()), dtype=np.int64)
    values = softmax(_logits(source, rows).astype(np.float64), axis=1).round(DIGITS)
    return {ids[row]: line for row, line in zip(rows, values.tolist(), strict=True)}


def _logits(source: Source, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    import torch

    from wenhuo.models.transformer import batches_by_length, in_memory

    found: dict[int, npt.NDArray[np.float32]] = {}

    def fill(places: npt.NDArray[np.int64]) -> None:
        with torch.no_grad():  # not inference_mode: see transformer.logits
            found.update(zip(places.tolist(), source.scores(rows[places]).cpu().numpy(), strict=True))

    for places in batches_by_length(source.rows.lengths[rows]):
        in_memory(fill, places)
    return np.array([found[place] for place in range(len(rows))], dtype=np.float32)


def write(folder: Path, answers: Answers) -> None:
    """Write ``before.json`` into a model's folder."""
    write_json(folder / FILE, {"split": "validation", "probabilities": answers})


def read(folder: Path) -> Answers:
    """What :func:`write` wrote; nothing for a linear model, or one that was trained before this was kept."""
    path = folder / FILE
    return dict(read_json(path)["probabilities"]) if path.exists() else {}
