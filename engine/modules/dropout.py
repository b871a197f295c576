"""Dropout with cheap masks.

One Bernoulli draw per element is a fifth of a training step on the CPU. Dropout needs far less randomness than that:
at p = ½ one random byte decides eight elements, at any other p sixteen random bits decide one. Every element's mask
stays independent of every other's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from engine.modules.ways import is_host

_STEPS = 1 << 16


@cache
def _unpacked_bytes(dtype: torch.dtype) -> Tensor:
    """Row b holds the eight bits of byte b, as 0 or 2 (= 1 / (1 − ½)), [256, 8]."""
    bits = torch.arange(256).unsqueeze(1) >> torch.arange(8) & 1
    return bits.to(dtype) * 2


@dataclass(frozen=True)
class Draws:
    """The randomness of a mask on the CPU: ``words`` int64 of independent fair bits.

    At p = ½ an element has one bit and is kept where it is 1; else it has sixteen, an int16, and is kept from
    ``threshold`` on. What is kept is multiplied by ``scale``.
    """

    words: Tensor
    is_a_bit_each: bool
    threshold: int
    scale: float


def draws(count: int, p: float) -> Draws:
    """Randomness for ``count`` elements from torch's own CPU generator; see `dropout_mask`."""
    words = -(-count // (64 if p == 0.5 else 4))
    drawn = torch.empty(words, dtype=torch.int64).random_(-(1 << 63), None)
    dropped = round(p * _STEPS)
    return Draws(drawn, p == 0.5, dropped - _STEPS // 2, _STEPS / (_STEPS - dropped))


def dropout_mask(shape: tuple[int, ...], p: float, *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Independent elements: 0 with probability ``p``, else 1 / (1 − p), so that the mean is 1.

    Away from ½, ``p`` is rounded to a multiple of 2⁻¹⁶ and the scale follows the rounded value. The randomness comes
    from torch's default generator of the device.
    """
    if not is_host(device):
        return torch.empty(shape, device=device, dtype=dtype).bernoulli_(1 - p).div_(1 - p)
    count = math.prod(shape)
    drawn = draws(count, p)
    if drawn.is_a_bit_each:
        octets = drawn.words.view(torch.uint8)[: (count + 7) // 8]
        return _unpacked_bytes(dtype).index_select(0, octets.int()).view(-1)[:count].view(shape)
    kept = drawn.words.view(torch.int16)[:count] >= drawn.threshold
    return kept.view(shape).to(dtype).mul_(drawn.scale)


class Dropout(nn.Module):
    """Dropout with probability ``p`` while training (FACTS F6)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    @property
    def is_active(self) -> bool:
        """Whether masks are drawn at all."""
        return self.training and self.p > 0

    def mask(self, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """A mask of that shape on ``like``'s device and of its type. Only while active."""
        return dropout_mask(shape, self.p, device=like.device, dtype=like.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape, thinned."""
        return x * self.mask(tuple(x.shape), x) if self.is_active else x

    def add(self, residual: Tensor, x: Tensor) -> Tensor:
        """``residual + dropout(x)`` in one pass over memory; both of one shape."""
        return torch.addcmul(residual, x, self.mask(tuple(x.shape), x)) if self.is_active else residual + x
