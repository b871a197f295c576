"""Memory-based correlation as the trainer uses it: counted once, the same in every epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.config import ExperimentConfig
from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut
from engine.similarity.neighbours import Neighbours
from engine.similarity.source import Phase
from engine.similarity.table import NeighbourTable


class MemorySimilarity:
    """Counts over all users' training inputs, or training parts (``fidelity.correlation_items``)."""

    def __init__(self, config: ExperimentConfig, split: LeaveOneOut, item_count: int) -> None:
        sequences = split.correlation_sequences(config.fidelity.correlation_items)
        neighbours = self.count(sequences, item_count, config.similarity.top_k)
        self._tables = {torch.device("cpu"): NeighbourTable.from_neighbours(neighbours)}

    def count(self, sequences: Sequences, item_count: int, k: int) -> Neighbours:
        """The ``k`` best neighbours of items 1…``item_count``."""
        raise NotImplementedError

    def name_at(self, epoch: int) -> Phase:  # noqa: ARG002 - the same in every epoch
        return "memory"

    def at_epoch(self, epoch: int, item_table: Tensor | None) -> NeighbourTable:  # noqa: ARG002
        return self.on(torch.device("cpu") if item_table is None else item_table.device)

    def on(self, device: torch.device) -> NeighbourTable:
        """The table on a device, copied there once."""
        if device not in self._tables:
            self._tables[device] = self._tables[torch.device("cpu")].to(device)
        return self._tables[device]
