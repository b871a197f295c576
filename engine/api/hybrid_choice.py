"""Eq. 11 told item by item: the two lists, the two numbers, and who wins. Imports torch.

The decision itself is `engine.similarity.hybrid`'s, which is what trains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from engine.data.dataset import Dataset
from engine.records import HybridChoice, NeighbourRecord
from engine.similarity.embedding.products import ModelNeighbours
from engine.similarity.hybrid.similarity import combine, memory_wins
from engine.similarity.neighbours import Neighbours
from engine.similarity.table import NeighbourTable
from engine.similarity.top_scores import Best


@dataclass(frozen=True, eq=False)
class ItemSides:
    """Both sides of one item. ``shared`` [rows]: users who have the item and each other one."""

    dataset: Dataset
    item: int
    memory: Neighbours
    model: ModelNeighbours
    missing: Literal["keep", "random"]
    shared: NDArray[np.int64]

    def neighbours(self, k: int) -> tuple[NeighbourRecord, ...]:
        """The model's ``k`` best, raw and normalised."""
        raw, normalised = self.model.scores[self.item, :k].tolist(), self.model.normalised[self.item, :k].tolist()
        ids = self.model.ids[self.item, :k].tolist()
        rows = zip(ids, raw, normalised, strict=True)
        return tuple(self._record(other, score, part) for other, score, part in rows if score != -float("inf"))

    def hybrid(self, k: int) -> tuple[NeighbourRecord, ...]:
        """The list that training looks up, with the raw scores of the side it comes from."""
        memory, scores = self._row(k)
        ids = self.model.ids[self.item : self.item + 1, :k]
        found = combine(memory, ids, scores, self.missing)
        if bool(memory_wins(memory, scores, self.missing)[0]):
            raw = dict(zip(self.memory.ids[self.item].tolist(), self.memory.scores[self.item].tolist(), strict=True))
        else:
            raw = dict(zip(ids[0].tolist(), self.model.scores[self.item, :k].tolist(), strict=True))
        rows = zip(found.ids[0].tolist(), found.scores[0].tolist(), strict=True)
        return tuple(self._record(other, raw[other], part) for other, part in rows if other)

    def choice(self) -> HybridChoice:
        """Who wins, and by which two numbers."""
        memory, scores = self._row(1)
        has_memory = bool(memory.ids[0, 0] > 0)
        wins = bool(memory_wins(memory, scores, self.missing)[0])
        ours, theirs = float(memory.scores[0, 0]), float(scores[0, 0])
        taken = ("memory" if has_memory else "none") if wins else "model"
        return HybridChoice(taken, ours if has_memory else None, theirs, self._reason(taken, has_memory, ours, theirs))

    def _row(self, k: int) -> tuple[NeighbourTable, torch.Tensor]:
        """The item's memory side as a table of one row, and the model's normalised scores, [1, k]."""
        one = slice(self.item, self.item + 1)
        ids = torch.from_numpy(self.memory.ids[one, :k]).long()
        scores = torch.from_numpy(self.memory.normalised_of(self.item)[None, :k])
        return NeighbourTable(ids, scores, ids[0, :0]), self.model.normalised[one, :k]

    def _record(self, other: int, score: float, normalised: float) -> NeighbourRecord:
        if other in (
            0,
            self.dataset.mask_id,
        ):  # no item, and yet ranked where candidates are all rows (F16)
            return NeighbourRecord(*self.dataset.named(other), score, normalised, 0, 0)
        shared, users = int(self.shared[other]), int(self.memory.users[other])
        return NeighbourRecord(*self.dataset.named(other), score, normalised, shared, users)

    def _reason(self, taken: str, has_memory: bool, ours: float, theirs: float) -> str:
        if not has_memory:
            stands_in = "Without a memory-based neighbour, a random item of score 0 stands on that side (authors' code)"
            if taken == "none":
                return f"{stands_in}, and the model's best scores 0 too: the random item is taken."
            if self.missing == "random":
                return f"{stands_in}; the model's best scores {theirs:.4f}: the model's list is taken."
            return f"It has no memory-based neighbour: the model's list is taken, whose best scores {theirs:.4f}."
        if taken == "model":
            return f"The model's best neighbour scores {theirs:.4f}, the memory-based one {ours:.4f}."
        tie = " Memory wins ties." if ours == theirs else ""
        return f"The memory-based best neighbour scores {ours:.4f}, the model's {theirs:.4f}.{tie}"


def best_of_model(model: ModelNeighbours) -> Best:
    """Every item's best score by Eq. 10."""
    raw, normalised = model.scores[1:-1, 0].numpy(), model.normalised[1:-1, 0].numpy()
    return Best(raw, normalised, ~np.isneginf(raw), float(model.low), float(model.high))


def taken(memory: Neighbours, model: ModelNeighbours, missing: Literal["keep", "random"]) -> dict[str, int]:
    """Items whose list comes from either side, or from neither (`HybridChoice.taken`)."""
    table = NeighbourTable.from_neighbours(memory)
    wins = memory_wins(table, model.normalised, missing)[1:-1]
    has_memory = table.ids[1:-1, 0] > 0
    return {
        "memory": int((wins & has_memory).sum()),
        "model": int((~wins).sum()),
        "none": int((wins & ~has_memory).sum()),
    }
