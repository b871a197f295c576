"""Hybrid correlation (Eq. 11): memory-based for E epochs, then the better of both normalised scores."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.config import ExperimentConfig, first_epoch_with_views
from engine.data.splits import LeaveOneOut
from engine.similarity.embedding.similarity import EmbeddingSimilarity
from engine.similarity.memory import MemorySimilarity
from engine.similarity.source import Phase
from engine.similarity.table import NeighbourTable


def first_hybrid_epoch(config: ExperimentConfig) -> int:
    """The zero-based epoch of the run that Eq. 11 first rules: E, or the one after it (FACTS F16), counted from the
    first epoch that makes views."""
    late = config.fidelity.hybrid_switch == "after_epoch"
    return first_epoch_with_views(config) + config.similarity.hybrid_after_epoch + late


class HybridSimilarity:
    """Eq. 11 from epoch E on (``at_epoch``), or after it (``after_epoch``, FACTS F16)."""

    def __init__(self, config: ExperimentConfig, split: LeaveOneOut, item_count: int) -> None:
        self._memory = MemorySimilarity(config, split, item_count, "item_cf")
        self._model = EmbeddingSimilarity(config, split, item_count)
        self._missing = config.fidelity.missing_neighbour
        self._first_hybrid_epoch = first_hybrid_epoch(config)

    def name_at(self, epoch: int) -> Phase:
        return "hybrid" if epoch >= self._first_hybrid_epoch else "memory"

    def at_epoch(self, epoch: int, item_table: Tensor | None) -> NeighbourTable:
        if self.name_at(epoch) == "memory":
            return self._memory.at_epoch(epoch, item_table)
        found = self._model.neighbours(item_table)
        return combine(self._memory.on(found.ids.device), found.ids, found.normalised, self._missing)


def combine(
    memory: NeighbourTable, model_ids: Tensor, model_scores: Tensor, missing: Literal["keep", "random"]
) -> NeighbourTable:
    """Each item's list from the side whose best neighbour scores higher (Eq. 11, FACTS F16); memory wins ties.

    ``model_ids`` int64 and ``model_scores`` float32, normalised: [rows, k]. An item without a memory-based neighbour
    takes the model's (``keep``). With ``random`` its memory side is a random item of score 0, which beats the model
    only where that scores 0 too: the table then says that there is none, and whoever looks it up draws from the pool,
    which stays the memory side's (FACTS F15).
    """
    wins = memory_wins(memory, model_scores, missing).unsqueeze(1)
    ids = torch.where(wins, memory.ids, model_ids)
    scores = torch.where(wins, memory.scores, model_scores.to(memory.scores.dtype))
    return NeighbourTable.of(ids, scores, memory.pool if missing == "random" else None)


def memory_wins(memory: NeighbourTable, model_scores: Tensor, missing: Literal["keep", "random"]) -> Tensor:
    """Whether an item's list is its memory-based one, bool [rows]; the rules are `combine`'s."""
    wins = memory.scores[:, 0] >= model_scores[:, 0]
    return wins & (memory.ids[:, 0] > 0) if missing == "keep" else wins
