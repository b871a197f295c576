"""Memory-based correlation as the trainer uses it: counted once, the same in every epoch."""

from __future__ import annotations

import torch
from torch import Tensor

from engine import registry
from engine.config import ExperimentConfig
from engine.data.splits import LeaveOneOut
from engine.similarity.neighbours import Neighbours
from engine.similarity.source import Phase
from engine.similarity.table import NeighbourTable


class MemorySimilarity:
    """Any similarity that no model takes part in, by the function that it announces: look-ups use the same.

    Over all users' training inputs, or training parts (``fidelity.correlation_items``). ``name`` is another similarity
    than the configuration's: a hybrid's memory-based side.
    """

    def __init__(self, config: ExperimentConfig, split: LeaveOneOut, item_count: int, name: str = "") -> None:
        plugin = registry.entry("similarity", name or config.similarity.name)
        sequences = split.correlation_sequences(config.fidelity.correlation_items)
        options = registry.options_of(plugin, config.similarity)
        neighbours: Neighbours = plugin.facts["neighbours"](sequences, item_count, config.similarity.top_k, options)
        self._tables = {torch.device("cpu"): NeighbourTable.from_neighbours(neighbours)}

    def name_at(self, epoch: int) -> Phase:  # noqa: ARG002 - the same in every epoch
        return "memory"

    def at_epoch(self, epoch: int, item_table: Tensor | None) -> NeighbourTable:  # noqa: ARG002
        return self.on(torch.device("cpu") if item_table is None else item_table.device)

    def on(self, device: torch.device) -> NeighbourTable:
        """The table on a device, copied there once."""
        if device not in self._tables:
            self._tables[device] = self._tables[torch.device("cpu")].to(device)
        return self._tables[device]
