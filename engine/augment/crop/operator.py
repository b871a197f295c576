"""Crop (C), Eq. 4: keeps c = ⌈η n⌉ consecutive items."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from engine.augment.base import Operator
from engine.augment.plan import KIND, Plan
from engine.augment.ragged import lengths_of, ranges


class Crop(Operator):
    """A range of sources. A view is never empty: one item stays where the ratio leaves none (FACTS F9)."""

    label = "Crop"
    rate_field = "crop_rate"

    def plan(self, offsets: Tensor, generator: Generator) -> Plan:
        lengths = lengths_of(offsets)
        counts = self.counts(lengths).clamp(min=1).minimum(lengths)
        starts = self.starts(lengths, counts, generator)
        sources, cropped = ranges(offsets[:-1] + starts, counts)
        return Plan(cropped, sources, torch.zeros(sources.numel(), dtype=KIND))

    def note(self, length: int) -> str:
        if max(self._count(length), 1) < length:
            return ""
        return "Crop keeps the only item." if length == 1 else f"{self._product(length)} keeps all of them."
