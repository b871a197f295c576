"""The edit script of augmented sequences: where every output token comes from and what happened to it.

Every operator answers with a `Plan`; the plans of different operators over one batch are concatenated, brought into
the batch's order and cut to the model's length by index arithmetic alone. One gather then builds the batch, and the
augmentation page draws the same arrays (ARCHITECTURE, hot path). Plans live on the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.augment.ragged import lengths_of, offsets_of, ranges, spread
from engine.records import TokenKind

KIND = torch.uint8
"""Element type of ``Plan.kinds``."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What becomes of S sequences.

    ``offsets`` int64 [S + 1]: the output sequences. ``sources`` int64 [T']: for each output token the position of the
    input token it came from, an index into the flat input items; one that is kept twice is repeated, and an inserted
    token's source is the item whose neighbour it will be. ``kinds`` uint8 [T']: its `engine.records.TokenKind`.
    ``reordered`` int64 [S, 2] or None: half-open range of output positions that Reorder shuffled, (0, 0) where it
    shuffled nothing.
    """

    offsets: Tensor
    sources: Tensor
    kinds: Tensor
    reordered: Tensor | None = None

    def __len__(self) -> int:
        return self.offsets.numel() - 1

    @property
    def lengths(self) -> Tensor:
        """Output tokens per sequence, int64 [S]."""
        return lengths_of(self.offsets)

    def where(self, *kinds: TokenKind) -> Tensor:
        """Positions of the output tokens of these kinds, int64, ascending."""
        found = self.kinds == kinds[0]
        for kind in kinds[1:]:
            found |= self.kinds == kind
        return found.nonzero().squeeze(1)

    def moved(self, starts: Tensor) -> Plan:
        """The plan with its sources moved by ``starts`` int64 [S], one shift a sequence."""
        shift = spread(starts, self.lengths, self.sources.numel())
        return Plan(self.offsets, self.sources + shift, self.kinds, self.reordered)

    def take(self, rows: Tensor, longest: int | None = None) -> Plan:
        """The sequences at ``rows`` int64 [R], in that order, each cut to its last ``longest`` tokens."""
        whole = self.lengths[rows]
        kept = whole if longest is None else whole.clamp(max=longest)
        positions, offsets = ranges(self.offsets[1:][rows] - kept, kept)
        reordered = self.reordered
        if reordered is not None:
            reordered = (reordered[rows] - (whole - kept).unsqueeze(1)).clamp(min=0)
        return Plan(offsets, self.sources[positions], self.kinds[positions], reordered)

    def without(self, missing: Tensor) -> Plan:
        """The plan after the output tokens at ``missing`` int64 turned out to have no neighbour.

        FACTS F15, ``missing_neighbour = keep``: a substituted token stays as it was, an inserted one is left out.
        """
        if not missing.numel():
            return self
        kinds = self.kinds.clone()
        stays = torch.ones(kinds.numel(), dtype=torch.bool)
        stays[missing[kinds[missing] == TokenKind.INSERTED]] = False
        kinds[missing] = int(TokenKind.KEPT)
        before = offsets_of(stays.to(torch.int64))
        return Plan(before[self.offsets], self.sources[stays], kinds[stays], self.reordered)


def unchanged(offsets: Tensor) -> Plan:
    """The plan that keeps every token of ``offsets`` [S + 1]."""
    total = int(offsets[-1])
    return Plan(offsets, torch.arange(total), torch.zeros(total, dtype=KIND))


def concatenate(plans: Sequence[Plan]) -> Plan:
    """Plans over consecutive parts of one batch as one plan. Sources are not moved: see `Plan.moved`."""
    reordered = None
    if any(plan.reordered is not None for plan in plans):
        rows = [torch.zeros(len(p), 2, dtype=torch.int64) if p.reordered is None else p.reordered for p in plans]
        reordered = torch.cat(rows)
    return Plan(
        offsets_of(torch.cat([plan.lengths for plan in plans])),
        torch.cat([plan.sources for plan in plans]),
        torch.cat([plan.kinds for plan in plans]),
        reordered,
    )
