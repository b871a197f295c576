"""Reorder (R), Eq. 6: shuffles r = ⌈ω n⌉ consecutive items."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from engine.augment.base import Operator
from engine.augment.plan import Plan, unchanged
from engine.augment.ragged import lengths_of, ranges, shuffle


class Reorder(Operator):
    """A permutation of sources inside one range."""

    label = "Reorder"
    rate_field = "reorder_rate"

    def plan(self, offsets: Tensor, generator: Generator) -> Plan:
        lengths = lengths_of(offsets)
        counts = self.counts(lengths)
        starts = self.starts(lengths, counts, generator)
        places, blocks = ranges(offsets[:-1] + starts, counts)  # the shuffled positions, a block a sequence
        whole = unchanged(offsets)
        whole.sources[places] = places[shuffle(blocks, generator)]
        spans = torch.stack((starts, starts + counts), dim=1) * (counts > 0).unsqueeze(1)  # [S, 2]
        return Plan(offsets, whole.sources, whole.kinds, spans)

    def note(self, length: int) -> str:
        if self._count(length) == 1:
            return f"{self._product(length)} is 1 item, and one item has no other order."
        return super().note(length)
