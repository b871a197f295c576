"""Mask (M), Eq. 5: writes the mask token over l = ⌈μ n⌉ random items."""

from __future__ import annotations

from torch import Generator, Tensor

from engine.augment.base import Operator
from engine.augment.plan import KIND, Plan, unchanged
from engine.augment.ragged import choose, lengths_of
from engine.records import TokenKind


class Mask(Operator):
    """Changes kinds. Which id a masked token gets is the builder's business (FACTS F10)."""

    label = "Mask"
    rate_field = "mask_rate"

    def plan(self, offsets: Tensor, generator: Generator) -> Plan:
        whole = unchanged(offsets)
        chosen = choose(offsets, self.counts(lengths_of(offsets)), generator)
        return Plan(offsets, whole.sources, chosen.to(KIND) * int(TokenKind.MASKED))
