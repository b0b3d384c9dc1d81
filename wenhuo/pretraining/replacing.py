"""Replaced-token detection (ELECTRA, Clark et al. 2020): a small generator fills hidden places, the network finds them.

Every token is asked about, not only the hidden ones, so that a small network learns more from each. The generator is a
masked language model that shares the embeddings. What it puts in a hidden place is drawn by a number that follows from
seed, pass, row and place, as what is hidden does, so that a resumed pretraining replaces what it would have replaced.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from wenhuo.pretraining.batches import Batch
from wenhuo.pretraining.places import only_at
from wenhuo.pretraining.sums import Sums

BLOCK = 128
"""Entries that are summed together when one is drawn."""


class Detector(nn.Module):
    """An ELECTRA discriminator and its generator.

    Args:
        inner: what is kept, an ``ElectraForPreTraining``.
        generator: an ``ElectraForMaskedLM`` with embeddings of the same width; it is given those of ``inner``.
    """

    def __init__(self, inner: Any, generator: Any) -> None:
        super().__init__()
        self.inner, self.generator = inner, generator
        generator.electra.embeddings = inner.electra.embeddings
        generator.generator_lm_head.weight = inner.electra.embeddings.word_embeddings.weight
        self._places = torch.empty(0, dtype=torch.int64)
        only_at(generator.base_model, lambda: self._places)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def guess_bias(self) -> Tensor:
        """The biases of the generator's output layer."""
        bias: Tensor = self.generator.generator_lm_head.bias
        return bias

    def forward(self, batch: Batch) -> Sums:
        """Losses and hits of generator and network."""
        ids, mask, _, places, targets, _, drawn = (torch.from_numpy(a).to(self.device) for a in batch)
        more = {} if bool((batch.mask == 1).all()) else {"attention_mask": mask}
        self._places = places
        logits = self.generator(input_ids=ids, **more).logits[0].float()
        loss = nn.functional.cross_entropy(logits, targets, reduction="sum")
        hits = (logits.detach().argmax(-1) == targets).sum()
        whole = ids.flatten().scatter(0, places, targets)
        shown = whole.scatter(0, places, sample(logits.detach(), drawn))
        changed = shown != whole
        scores = self.inner(input_ids=shown.view_as(ids), **more).logits.float().flatten()
        asked = mask.flatten().float()
        detection = nn.functional.binary_cross_entropy_with_logits(scores, changed.float(), asked, reduction="sum")
        told = scores.detach() > 0
        right, caught = ((told == changed) * asked).sum(), (told & changed).sum()
        return Sums(
            loss,
            hits,
            len(batch.targets),
            detection=detection,
            right=right,
            judged=int(batch.mask.sum()),
            caught=caught,
            changed=changed.sum(),
        )


@torch.no_grad()
def sample(logits: Tensor, drawn: Tensor) -> Tensor:
    """An entry of each row's distribution, by inversion: first the block that holds it, then the entry in it.

    Running sums as products with a triangle of ones give the same result each time on a GPU, which its ``cumsum`` of
    floats does not promise.

    Args:
        logits: shape (n, entries).
        drawn: numbers in [0, 1), shape (n,).

    Returns:
        Shape (n,).
    """
    rows, entries = logits.shape
    with torch.autocast(logits.device.type, enabled=False):
        padded = nn.functional.pad(logits.float().softmax(-1), (0, -entries % BLOCK))
        weights = padded.reshape(rows, padded.shape[1] // BLOCK, BLOCK)
        blocks = weights.sum(-1)
        ends = blocks @ _triangle(blocks)
        target = drawn.to(blocks.dtype)[:, None] * ends[:, -1:]
        block = _first_above(ends, target)
        inside = weights.take_along_dim(block[:, None, None], 1)[:, 0]
        rest = target - (ends - blocks).take_along_dim(block[:, None], 1)
        place = _first_above(inside @ _triangle(inside), rest)
    return (block * BLOCK + place).clamp(max=entries - 1)


def _triangle(like: Tensor) -> Tensor:
    return torch.ones(like.shape[1], like.shape[1], device=like.device).triu()


def _first_above(ends: Tensor, target: Tensor) -> Tensor:
    """The first column that is more than the target; rounding may leave none, and then it is the last."""
    return (ends <= target).sum(1).clamp(max=ends.shape[1] - 1)
