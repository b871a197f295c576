"""Insert (I), Eq. 8: puts a correlated item beside k = ⌈β n⌉ random items."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from engine.augment.base import Operator
from engine.augment.plan import KIND, Plan
from engine.augment.ragged import choose, lengths_of, offsets_of, spread
from engine.records import TokenKind


class Insert(Operator):
    """Adds tokens: a chosen item's source stands twice, once as INSERTED, before or after it (FACTS F13)."""

    label = "Insert"
    rate_field = "insert_rate"
    at_least_one = True

    def plan(self, offsets: Tensor, generator: Generator) -> Plan:
        counts = self.counts(lengths_of(offsets))
        longer = offsets + offsets_of(counts)
        copies = 1 + choose(offsets, counts, generator).to(torch.int64)
        total = int(longer[-1])
        sources = spread(torch.arange(copies.numel()), copies, total)
        twin = sources[1:] == sources[:-1]  # [total − 1]: this token and the next come from one item
        kinds = torch.zeros(total, dtype=KIND)
        place = kinds[:-1] if self.fidelity.insert_side == "before" else kinds[1:]
        place[twin] = int(TokenKind.INSERTED)
        return Plan(longer, sources, kinds)
