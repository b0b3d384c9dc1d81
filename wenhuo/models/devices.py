"""Where to compute, and how precisely."""

from __future__ import annotations

import ctypes
import sys
from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def device_and_dtype(precision: Precision) -> tuple[torch.device, torch.dtype]:
    """The best device of this machine and the type that matrix products are made in.

    ``auto`` is bfloat16 where the hardware multiplies matrices of it: GPUs since Ampere, CPUs with AMX. On other CPUs
    it would be slower: with avx512_bf16 alone a matrix product takes twice as long as in float32.
    """
    if torch.cuda.is_available():
        device, fast = torch.device("cuda"), torch.cuda.is_bf16_supported()
    elif torch.backends.mps.is_available():
        device, fast = torch.device("mps"), False
    else:
        device, fast = torch.device("cpu"), _cpu_multiplies_bfloat16()
    if precision == "bfloat16" or (precision == "auto" and fast):
        return device, torch.bfloat16
    return device, torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)  # torch has no public name for it yet
    return bool(supported and supported())


def keep_memory() -> None:
    """Have the C library keep freed memory instead of giving it back to the system and asking for it again.

    A training step frees and asks for the same gigabytes every time. Each page that comes back from the system costs a
    fault and its zeroing: 200,000 a step of BERT-base, a quarter of a second; none after this. Only glibc knows it.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        trim, large = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        mallopt(trim, 2**31 - 1)
        if not mallopt(large, 2**30):
            mallopt(large, 2**25)  # the largest that older versions take
