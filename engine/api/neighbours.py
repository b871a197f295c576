"""Correlated items: what stands behind Substitute and Insert."""

from __future__ import annotations

from engine.config import ExperimentConfig
from engine.records import NeighbourList


class Neighbours:
    """Facade over ``engine.similarity``."""

    def of(
        self, path: str, item: str, k: int = 10, similarity: str = "item_cf", config: ExperimentConfig | None = None
    ) -> NeighbourList:
        """The ``k`` best neighbours of ``item``. Raises ``UsageError`` for an unknown item, ``DataError`` for a bad file."""
        raise NotImplementedError
