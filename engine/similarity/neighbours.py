"""Each item's best neighbours under one similarity: what leaves a similarity that needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.similarity.top_scores import Best


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Top-k neighbours of every item, best first; equal scores (as float32) by lower item id.

    ``ids`` int32 [rows, k], 0 where there is none; ``scores`` float32 [rows, k], raw, 0 where there is none; ``shared``
    int32 [rows, k], the users who have both, or None where users play no part. ``users`` int64 [rows] counts an item's
    users, |N(i)|. ``low`` and ``high`` are the least and the greatest score over *all* pairs, not only the kept ones.
    """

    ids: NDArray[np.int32]
    scores: NDArray[np.float32]
    shared: NDArray[np.int32] | None
    users: NDArray[np.int64]
    low: float
    high: float

    @property
    def normalised(self) -> NDArray[np.float32]:
        """Min-max normalised scores (Eq. 11), 0…1, [rows, k]; 0 for no neighbour and where all pairs score alike."""
        return self._scaled(self.ids, self.scores)

    def normalised_of(self, item: int) -> NDArray[np.float32]:
        """The same for one item, [k]."""
        return self._scaled(self.ids[item], self.scores[item])

    @property
    def best(self) -> Best:
        """Every item's best score; the rows of padding and mask are none."""
        has = self.ids[1:-1, 0] > 0
        return Best(self.scores[1:-1, 0], self.top(1).normalised[1:-1, 0], has, self.low, self.high)

    def _scaled(self, ids: NDArray[np.int32], scores: NDArray[np.float32]) -> NDArray[np.float32]:
        width = self.high - self.low
        if width <= 0:
            return np.zeros_like(scores)
        scaled = np.clip((scores.astype(np.float64) - self.low) / width, 0.0, 1.0)
        return np.where(ids > 0, scaled, 0.0).astype(np.float32)

    def top(self, k: int) -> Neighbours:
        """The best ``k`` of them."""
        shared = None if self.shared is None else self.shared[:, :k]
        return replace(self, ids=self.ids[:, :k], scores=self.scores[:, :k], shared=shared)
