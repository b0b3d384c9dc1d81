"""How the embeddings of a network from nothing begin: from counts of what stands near what.

A small masked language model spends its first million tokens on how often each token occurs, and then long on which
tokens go together, before its attention learns to look at anything. Both can be counted. The embeddings begin as the
factors of the tokens' pointwise mutual information (Levy & Goldberg 2014), the output's biases as the logarithms of
their frequencies, the positions as sinusoids (Vaswani et al. 2017), and four heads of the first layer look at the
tokens one and two places to the left and right, which sinusoids let a rotation do. What it gains, measured:
docs/decisions/0018-pretraining.md.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from wenhuo.pretraining.store import Integers, Rows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Reals = npt.NDArray[np.float64]

WINDOW = 5
"""Tokens to the right that a token is counted together with; by symmetry as many to the left."""

MOST_TOKENS = 20_000_000
AT_ONCE = 1_000_000

DISCOUNT = 0.75
"""The power of a neighbour's frequency that its count is set against: rare ones are not overrated (same paper)."""

OFFSETS = (-1, 1, -2, 2)
"""Where the first heads of the first layer look."""

SHARPNESS = 6.0
"""By how much the score of the token that such a head looks at exceeds those of others, on average."""

SCALE, NOISE = 0.07, 0.01
"""Standard deviations of the embeddings, by how often tokens occur, and of what makes no two the same."""


def frequencies(rows: Rows, vocabulary: int) -> Integers:
    """How often each entry stands in the rows, shape (vocabulary,)."""
    counts = np.zeros(vocabulary, dtype=np.int64)
    for ids, _ in _pieces(rows):
        counts += np.bincount(ids, minlength=vocabulary)
    return counts


def embeddings(rows: Rows, vocabulary: int, width: int, seed: int) -> npt.NDArray[np.float32]:
    """Embeddings of the entries, shape (vocabulary, width)."""
    draw = np.random.default_rng(seed)
    found = np.zeros((vocabulary, width))
    factors = _factors(_information(_neighbours(rows, vocabulary)), min(width, vocabulary), draw)
    found[:, : factors.shape[1]] = factors
    rotation, _ = np.linalg.qr(draw.normal(size=(width, width)))  # so that no dimension is larger than another
    weight = frequencies(rows, vocabulary) / max(1, len(rows.values))
    size = np.sqrt((weight @ found**2).sum() / width)
    made = found @ rotation * (SCALE / size if size else 0.0) + draw.normal(0, NOISE, found.shape)
    return np.asarray(made, dtype=np.float32)


def sinusoids(positions: int, width: int) -> npt.NDArray[np.float32]:
    """Sines, then cosines of each position, of the same size as the embeddings, shape (positions, width)."""
    angles = np.arange(positions)[:, None] * _turns(width)
    both = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :width]
    return (both * SCALE * 2**0.5).astype(np.float32)


def _turns(width: int) -> Reals:
    """How far each pair of sine and cosine turns from one position to the next, shape (pairs,)."""
    turns: Reals = 10_000.0 ** (-np.arange(0, width, 2) / width)
    return turns


def looking(offset: int, width: int, size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Query and key weights of a head that looks at the token so many places further, shape (size, width) each.

    The key takes the sines and cosines that turn fastest; the query takes them too, turned by the offset.
    """
    count = size // 2
    turn, each = _turns(width)[:count] * offset, np.arange(count)
    sine, cosine = each, (width + 1) // 2 + each
    query, key = np.zeros((size, width)), np.zeros((size, width))
    key[each, sine] = key[count + each, cosine] = 1
    query[each, sine] = query[count + each, cosine] = np.cos(turn)
    query[each, cosine], query[count + each, sine] = np.sin(turn), -np.sin(turn)
    strength = (SHARPNESS * size**0.5 / count) ** 0.5
    return (query * strength).astype(np.float32), (key * strength).astype(np.float32)


def begin(backbone: Any, bias: Any, counts: Integers, made: npt.NDArray[np.float32]) -> None:
    """Give a BERT or an ELECTRA these embeddings, positions, heads that look at neighbours, and an output's biases.

    Args:
        backbone: the encoder.
        bias: of the output layer that guesses tokens.
        counts: how often each entry occurs, shape (vocabulary,).
        made: the embeddings, shape (vocabulary, width of the embeddings).
    """
    import torch

    parts = backbone.embeddings
    positions = parts.position_embeddings.weight
    with torch.no_grad():
        parts.word_embeddings.weight.copy_(torch.from_numpy(made))
        positions.copy_(torch.from_numpy(sinusoids(*positions.shape)))
        if hasattr(backbone, "embeddings_project"):  # narrower embeddings go on as the layers' first dimensions
            backbone.embeddings_project.weight[: positions.shape[1]] = torch.eye(positions.shape[1])
        _look_around(backbone, positions.shape[1])
        bias.copy_(torch.from_numpy(np.log((counts + 0.5) / (counts.sum() + 0.5))))


def _look_around(backbone: Any, width: int) -> None:
    """Make the first heads of the first layer look at the tokens beside, by the positions in the first dimensions."""
    import torch

    heads = backbone.config.num_attention_heads
    size, layer = backbone.config.hidden_size // heads, backbone.encoder.layer[0].attention.self
    for head, offset in zip(range(heads), OFFSETS, strict=False):
        rows = slice(head * size, (head + 1) * size)
        for weights, own in zip((layer.query, layer.key), looking(offset, width, size), strict=True):
            weights.weight[rows] = 0
            weights.weight[rows, :width] = torch.from_numpy(own)


def _pieces(rows: Rows) -> Any:
    """Ids and the row of each, about a million tokens at a time, and only of so many tokens as suffice."""
    bit = rows.values.dtype.itemsize * 8 - 1
    last = int(np.searchsorted(rows.offsets, MOST_TOKENS))
    bounds = np.searchsorted(rows.offsets[: last + 1], np.arange(0, MOST_TOKENS + AT_ONCE, AT_ONCE))
    for first, end in pairwise(np.unique(np.minimum(bounds, len(rows.offsets) - 1)).tolist()):
        values = rows.values[rows.offsets[first] : rows.offsets[end]]
        yield (values & ((1 << bit) - 1)).astype(np.int64), np.repeat(np.arange(first, end), rows.lengths[first:end])


def _neighbours(rows: Rows, vocabulary: int) -> csr_matrix:
    """How often two entries stand near each other, shape (vocabulary, vocabulary)."""
    from scipy.sparse import coo_matrix, csr_matrix

    counts = csr_matrix((vocabulary, vocabulary))
    for ids, row in _pieces(rows):
        for distance in range(1, WINDOW + 1):
            same = row[distance:] == row[:-distance]
            pairs = (ids[:-distance][same], ids[distance:][same])
            counts = counts + coo_matrix((np.ones(len(pairs[0])), pairs), shape=counts.shape).tocsr()
    return counts + counts.T


def _information(counts: csr_matrix) -> csr_matrix:
    """The positive part of the pointwise mutual information."""
    from scipy.sparse import csr_matrix

    cells, sums = counts.tocoo(), np.asarray(counts.sum(axis=0)).ravel()
    smooth = sums**DISCOUNT
    values = np.log(cells.data * smooth.sum() / (sums[cells.row] * smooth[cells.col]))
    kept = values > 0
    return csr_matrix((values[kept], (cells.row[kept], cells.col[kept])), shape=counts.shape)


def _factors(matrix: csr_matrix, rank: int, draw: np.random.Generator) -> Reals:
    """The left factors, by a randomised singular value decomposition (Halko, Martinsson & Tropp 2011)."""
    basis = matrix @ draw.normal(size=(matrix.shape[1], min(rank + 10, matrix.shape[1])))
    for _ in range(4):
        basis, _ = np.linalg.qr(matrix @ (matrix.T @ np.linalg.qr(basis)[0]))
    left, sizes, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    factors: Reals = (basis @ left * np.sqrt(sizes))[:, :rank]
    return factors
