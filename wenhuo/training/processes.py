"""Several processes that train one network: what they say to each other.

Whatever goes between them goes through here, and for one process every function gives back what it was given, so that
who calls it need not ask. All processes must call the same functions in the same order. How they meet:
:mod:`wenhuo.training.joining`. Numbers and decisions travel over gloo, gradients over NCCL between GPUs.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from wenhuo.errors import WenhuoError

T = TypeVar("T")

BUCKET = 16 * 2**20
"""Numbers that are summed in one message: enough for the network's rate, few enough to copy while others travel."""


class Lost(WenhuoError):  # noqa: N818 - what was lost is said in its message
    """Another process of this training ended, or does not answer."""


def size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def first() -> bool:
    """Whether this is the process that speaks, and writes what all have made."""
    return rank() == 0


def first_here() -> bool:
    """Whether this is the first process of its machine."""
    return size() == 1 or int(os.environ["LOCAL_RANK"]) == 0


@contextmanager
def together() -> Iterator[None]:
    """Turn what the back ends raise into :class:`Lost`."""
    try:
        yield
    except RuntimeError as error:
        raise lost(error) or error from None


def lost(error: RuntimeError) -> Lost | None:
    """What a back end's error means to a person; None where it is of another kind. gloo has no kind of its own."""
    text = (str(error).splitlines() or [""])[0]
    if not (isinstance(error, dist.DistError) or "gloo" in text or "Gloo" in text):
        return None
    what = "does not answer" if "timed out" in text.lower() or "timeout" in text.lower() else "has ended"
    hint = "see what that one said; run again to go on from the last checkpoint"
    return Lost(f"another process of this training {what} ({text[:200]})", hint)


def total(*values: float) -> list[float]:
    """The sum of each value over the processes."""
    if size() == 1:
        return list(values)
    sums = torch.tensor(values, dtype=torch.float64)
    with together():
        dist.all_reduce(sums)
    return sums.tolist()


def any_of(*flags: bool) -> list[bool]:
    """Whether each flag is set in one of the processes."""
    return [found > 0 for found in total(*flags)] if size() > 1 else list(flags)


def least(value: int) -> int:
    """The smallest of the processes' values."""
    return min(gather(value))


def gather(value: T) -> list[T]:
    """The values of all processes, the first one's first; any kind that pickle knows."""
    if size() == 1:
        return [value]
    found: list[Any] = [None] * size()
    with together():
        dist.all_gather_object(found, value)
    return found


def from_first(make: Callable[[], T]) -> T:
    """What ``make`` returns in the first process; the others do not call it."""
    if size() == 1:
        return make()
    held = [make() if first() else None]
    with together():
        dist.broadcast_object_list(held, src=0, device=torch.device("cpu"))
    return held[0]  # type: ignore[return-value]


def spread(load: Callable[[], dict[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    """Tensors that the first process loads, one at a time, on the CPU of every process."""
    if size() == 1:
        yield from load().items()
        return
    held = load() if first() else {}
    for name, shape, dtype in from_first(lambda: [(key, value.shape, value.dtype) for key, value in held.items()]):
        value = held.pop(name).contiguous() if first() else torch.empty(shape, dtype=dtype)
        with together():
            dist.broadcast(value, src=0)
        yield name, value


def copy_first(tensors: Iterable[Tensor]) -> None:
    """Give tensors the values that they have in the first process."""
    if size() > 1:
        with together(), torch.no_grad():
            for tensor in tensors:
                dist.broadcast(tensor.data, src=0)


def sum_gradients(parameters: Sequence[Tensor]) -> None:
    """Put the sum over the processes into every gradient; a parameter that has none anywhere keeps none.

    Sharded parameters are passed over: theirs were summed in the backward pass.
    """
    whole = [parameter for parameter in parameters if not isinstance(parameter, DTensor)]
    if size() == 1 or not whole:
        return
    used = any_of(*(parameter.grad is not None for parameter in whole))
    gradients = []
    for parameter, anywhere in zip(whole, used, strict=True):
        if anywhere:
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            gradients.append(parameter.grad)
    _sum(gradients)


def _sum(tensors: list[Tensor]) -> None:
    """Sum tensors over the processes in place; two messages are under way at a time, the rest waits uncopied."""
    waiting: deque[tuple[list[Tensor], Tensor, Any]] = deque()
    with together():
        for bucket in _buckets(tensors):
            flat = torch.cat([tensor.reshape(-1) for tensor in bucket])
            waiting.append((bucket, flat, dist.all_reduce(flat, async_op=True)))
            if len(waiting) == 2:
                _finish(*waiting.popleft())
        while waiting:
            _finish(*waiting.popleft())


def _finish(bucket: list[Tensor], flat: Tensor, work: Any) -> None:
    work.wait()
    for tensor, piece in zip(bucket, torch.split(flat, [tensor.numel() for tensor in bucket]), strict=True):
        tensor.copy_(piece.view_as(tensor))


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one kind, in their order, up to so many numbers together; a larger one is by itself."""
    held: list[Tensor] = []
    for tensor in tensors:
        full = sum(t.numel() for t in held) + tensor.numel() > BUCKET
        if held and (full or tensor.dtype != held[0].dtype):
            yield held
            held = []
        held.append(tensor)
    if held:
        yield held


def shares(costs: npt.NDArray[np.int64], parts: int | None = None) -> list[slice]:
    """Neighbouring items as one slice a process, of about the same cost each; a slice may be empty.

    Args:
        costs: of each item, shape (n,); at least 1.
        parts: how many; None: as many as there are processes.
    """
    parts = size() if parts is None else parts
    ends = np.cumsum(costs)
    middles = ends - costs / 2  # an item goes where its middle lies
    bounds = np.searchsorted(middles, (ends[-1] if len(ends) else 0) * np.arange(1, parts) / parts).tolist()
    return [slice(start, end) for start, end in zip([0, *bounds], [*bounds, len(costs)], strict=True)]
