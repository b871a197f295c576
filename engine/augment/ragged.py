"""Ragged tensors and the few segmented operations that the operators are made of.

Segment ``i`` of ``values`` is ``values[offsets[i]:offsets[i + 1]]``. Nothing here loops over segments. Totals are read
from host tensors, so no call waits for an accelerator as long as offsets live on the host (ARCHITECTURE, hot path).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from engine.modules.ways import sent

_DUST = 1e-9
"""Taken off before a ceiling: 0.7 × 10 is 7.000000000000001 in binary, and must not count as 8."""


def offsets_of(lengths: Tensor) -> Tensor:
    """Offsets [S + 1] from 0 of segments with these ``lengths`` [S]."""
    offsets = lengths.new_zeros(lengths.numel() + 1)
    torch.cumsum(lengths, 0, out=offsets[1:])
    return offsets


def lengths_of(offsets: Tensor) -> Tensor:
    """Lengths [S] of the segments of ``offsets`` [S + 1]."""
    return offsets[1:] - offsets[:-1]


def spread(values: Tensor, lengths: Tensor, total: int) -> Tensor:
    """``values`` [S], each repeated once a token of its segment: [total]. ``total`` is the sum of ``lengths``."""
    return torch.repeat_interleave(values, lengths, output_size=total)


def segment_ids(offsets: Tensor) -> Tensor:
    """Segment of every token, int64 [T]."""
    lengths = lengths_of(offsets)
    return spread(torch.arange(lengths.numel(), device=offsets.device), lengths, int(offsets[-1]))


def within(offsets: Tensor) -> Tensor:
    """Position of every token in its segment, from 0: int64 [T]."""
    total = int(offsets[-1])
    return torch.arange(total, device=offsets.device) - spread(offsets[:-1], lengths_of(offsets), total)


def ranges(starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The positions ``starts[i] … starts[i] + lengths[i] − 1``, one segment after the other.

    Returns ``(positions int64 [T], offsets int64 [S + 1])`` with T the sum of ``lengths``.
    """
    offsets = offsets_of(lengths)
    total = int(offsets[-1])
    return spread(starts - offsets[:-1], lengths, total) + torch.arange(total, device=lengths.device), offsets


def shuffle(offsets: Tensor, generator: Generator) -> Tensor:
    """A uniform permutation inside every segment, int64 [T]: a permutation of 0…T−1 that keeps segments in place.

    Random keys plus the segment's number, sorted once. In float64 two keys of a segment coincide with a probability
    below T² · 2⁻⁵², and then merely keep their order.
    """
    owners = segment_ids(offsets)
    keys = torch.rand(owners.numel(), generator=generator, dtype=torch.float64, device=offsets.device)
    return torch.argsort(keys.add_(owners))


def choose(offsets: Tensor, counts: Tensor, generator: Generator) -> Tensor:
    """Exactly ``counts[i]`` distinct tokens of segment i, uniformly without replacement: bool [T].

    Raises nothing: the caller keeps 0 ≤ counts ≤ lengths.
    """
    order = shuffle(offsets, generator)
    chosen = torch.zeros(order.numel(), dtype=torch.bool, device=offsets.device)
    first, _ = ranges(offsets[:-1], counts)
    chosen[order[first]] = True
    return chosen


def uniform_below(bounds: Tensor, generator: Generator) -> Tensor:
    """One integer drawn uniformly from 0…bound−1 for every bound [S] ≥ 1: int64 [S]."""
    draws = torch.rand(bounds.shape, generator=generator, dtype=torch.float64, device=bounds.device)
    return torch.minimum((draws * bounds).to(torch.int64), bounds - 1)


def ceiling(rate: float, lengths: Tensor) -> Tensor:
    """⌈rate · n⌉ as in Eq. 4–8, without float dust: int64 [S]."""
    return torch.ceil(lengths.to(torch.float64) * rate - _DUST).to(torch.int64)


def floor(rate: float, lengths: Tensor) -> Tensor:
    """``int(rate * n)`` as Python computes it, the published code's count (FACTS F9): int64 [S]."""
    return (lengths.to(torch.float64) * rate).to(torch.int64)


def ceiling_of(rate: float, length: int) -> int:
    """`ceiling` of one length."""
    return max(math.ceil(rate * length - _DUST), 0)


@dataclass(frozen=True, eq=False)
class Ragged:
    """Ragged sequences of a batch: ``items`` int64 [T] on any device, ``offsets`` int64 [S + 1] on the host."""

    items: Tensor
    offsets: Tensor

    def __len__(self) -> int:
        return self.offsets.numel() - 1

    @property
    def lengths(self) -> Tensor:
        """Items per sequence, int64 [S], on the host."""
        return lengths_of(self.offsets)

    def tail(self, max_length: int) -> Ragged:
        """The last ``max_length`` items of each sequence."""
        lengths = self.lengths.clamp(max=max_length)
        positions, offsets = ranges(self.offsets[1:] - lengths, lengths)
        return Ragged(self.items[sent(positions, self.items.device)], offsets)
