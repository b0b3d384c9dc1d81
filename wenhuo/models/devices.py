"""Where to compute, and how precisely."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def device_and_dtype(precision: Precision) -> tuple[torch.device, torch.dtype]:
    """The best device of this machine and the type that matrix products are made in.

    ``auto`` is bfloat16 where the hardware multiplies matrices of it: GPUs since Ampere, CPUs with AMX. On other CPUs
    it would be slower (a step of the default backbone took 1.5 times as long with AVX-512 alone).
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
