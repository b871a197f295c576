"""Which way a computation goes: the CPU's own, or the one of every other device.

The CPU has ways of its own where a look is free, where what is written for it is quicker, or where blocks are to fit
into its cache. Other devices have theirs, which work on a CPU too: so the tests, and whoever has no GPU, can see that
both come to the same (`as_elsewhere`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

_goes_elsewhere = False


def is_host(device: torch.device) -> bool:
    """Whether what lies on ``device`` goes the CPU's own way."""
    return device.type == "cpu" and not _goes_elsewhere


def sent(tensor: Tensor, device: torch.device | str) -> Tensor:
    """``tensor`` on ``device``: itself where it lies there, else a copy that nobody waits for.

    CUDA copies beside the host's work from pinned memory alone, which PyTorch keeps and gives out again.
    """
    device = torch.device(device)
    if tensor.device.type == device.type:
        return tensor
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


@contextmanager
def as_elsewhere() -> Iterator[None]:
    """Send the CPU the way of other devices."""
    global _goes_elsewhere
    before, _goes_elsewhere = _goes_elsewhere, True
    try:
        yield
    finally:
        _goes_elsewhere = before
