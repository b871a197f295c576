"""Model-based correlation as the trainer uses it: follows the embeddings from the first epoch on (Eq. 10)."""

from __future__ import annotations

from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.similarity.embedding.products import ModelNeighbours, embedding_neighbours
from engine.similarity.source import Phase, embeddings_needed
from engine.similarity.table import NeighbourTable


class EmbeddingSimilarity:
    """Eq. 10 on the item embeddings as they are at each epoch's start."""

    def __init__(self, config: ExperimentConfig, split: LeaveOneOut, item_count: int) -> None:  # noqa: ARG002
        self._k = config.similarity.top_k
        self._candidates = config.fidelity.hybrid_candidates

    def name_at(self, epoch: int) -> Phase:  # noqa: ARG002 - the same in every epoch
        return "model"

    def at_epoch(self, epoch: int, item_table: Tensor | None) -> NeighbourTable:  # noqa: ARG002
        found = self.neighbours(item_table)
        return NeighbourTable.of(found.ids, found.normalised)

    def neighbours(self, item_table: Tensor | None) -> ModelNeighbours:
        """Top-k by Eq. 10. Raises ``UsageError`` without a table."""
        if item_table is None:
            raise embeddings_needed()
        return embedding_neighbours(item_table, self._k, self._candidates)
