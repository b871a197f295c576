"""Substitute (S), Eq. 7: puts a correlated item in the place of k = ⌈α n⌉ random items."""

from __future__ import annotations

from torch import Generator, Tensor

from engine.augment.base import Operator
from engine.augment.plan import KIND, Plan, unchanged
from engine.augment.ragged import choose, lengths_of
from engine.records import TokenKind


class Substitute(Operator):
    """Changes kinds; the neighbour is looked up when the batch is built."""

    label = "Substitute"
    rate_field = "substitute_rate"
    at_least_one = True

    def plan(self, offsets: Tensor, generator: Generator) -> Plan:
        whole = unchanged(offsets)
        chosen = choose(offsets, self.counts(lengths_of(offsets)), generator)
        return Plan(offsets, whole.sources, chosen.to(KIND) * int(TokenKind.SUBSTITUTED))
