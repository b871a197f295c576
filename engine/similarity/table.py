"""What the augmentation looks up: every item's best correlated items, on the training device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.similarity.neighbours import Neighbours


@dataclass(frozen=True, eq=False)
class NeighbourTable:
    """Correlated items; rows = items + 2: padding, items, mask.

    ``ids`` int64 [rows, k], best first, 0 where there is none and only zeros after one; ``scores`` float32 [rows, k],
    normalised to 0…1 (Eq. 11), 0 where there is none; ``pool`` int64 [p], the items that may stand in for the
    neighbour of an item without one (FACTS F15).
    """

    ids: Tensor
    scores: Tensor
    pool: Tensor

    @classmethod
    def of(cls, ids: Tensor, scores: Tensor, pool: Tensor | None = None) -> NeighbourTable:
        """A table of ids with gaps (0) and scores; the pool is every item with a neighbour unless it is given."""
        order = torch.argsort((ids == 0).to(torch.uint8), dim=1, stable=True)  # gaps behind, the rest as it stands
        ids = ids.gather(1, order)
        scores = torch.where(ids > 0, scores.gather(1, order), 0.0)
        if pool is None:
            pool = torch.nonzero(ids[1:-1, 0]).squeeze(1) + 1
        return cls(ids, scores, pool)

    @classmethod
    def from_neighbours(cls, neighbours: Neighbours) -> NeighbourTable:
        """The table of what a similarity without torch has found, on the host."""
        return cls.of(torch.from_numpy(neighbours.ids).long(), torch.from_numpy(neighbours.normalised))

    @classmethod
    def empty(cls, rows: int, device: torch.device | str = "cpu") -> NeighbourTable:
        """The table that nobody looks into: where no operator asks for neighbours."""
        none = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        return cls(none, none.to(torch.float32), none[:0, 0])

    def to(self, device: torch.device | str) -> NeighbourTable:
        """The same table on another device."""
        return NeighbourTable(self.ids.to(device), self.scores.to(device), self.pool.to(device))
