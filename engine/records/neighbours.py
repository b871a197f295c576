"""Records of correlated items: one similarity's list, and several side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.records.weights import UsedWeights


@dataclass(frozen=True)
class ItemRecord:
    """An item: ``item`` is the id in the user's own file."""

    item: str
    title: str
    users: int
    """Number of users whose training part contains it."""


@dataclass(frozen=True)
class NeighbourRecord:
    """One neighbour of an item; ``normalised`` is min-max over all pairs (Eq. 11)."""

    item: str
    title: str
    score: float
    normalised: float
    shared_users: int
    users: int


@dataclass(frozen=True)
class NeighbourList:
    """An item's top-k under one similarity."""

    item: ItemRecord
    similarity: str
    neighbours: tuple[NeighbourRecord, ...]
    note: str = ""
    """E.g. that the item has no neighbour."""


@dataclass(frozen=True)
class NeighbourColumn:
    """An item's top-k under one similarity, beside the others'. Shared users and users are counted alike in all."""

    similarity: str
    label: str
    help: str
    neighbours: tuple[NeighbourRecord, ...]
    note: str = ""


@dataclass(frozen=True)
class HybridChoice:
    """Which list the hybrid takes for an item (Eq. 11), and the two normalised scores that decide."""

    taken: str
    """``memory``, ``model``, or ``none`` where a random item stands in (FACTS F15)."""
    memory: float | None
    """Best memory-based score, 0…1; None without a memory-based neighbour."""
    model: float
    reason: str


@dataclass(frozen=True)
class NeighbourComparison:
    """An item under several similarities. The last five are what was counted, ranked and whose embeddings were used."""

    item: ItemRecord
    columns: tuple[NeighbourColumn, ...]
    choice: HybridChoice | None
    """None without a model."""
    source: str
    """Id of the run or path of the weights; empty without a model."""
    correlation_items: str
    hybrid_candidates: str
    missing_neighbour: str
    weights: UsedWeights | None = None
    """Whose embeddings, and of which epoch; None without a model."""


@dataclass(frozen=True)
class TopScores:
    """Best score of every item under one similarity, as two histograms; ``edges`` [bins + 1], ``counts`` [bins]."""

    similarity: str
    label: str
    items: int
    without: int
    """Items that have no neighbour; they are in neither histogram."""
    low: float
    high: float
    """Least and greatest score over all pairs: what normalising divides by."""
    median: float | None
    normalised_median: float | None
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    normalised_edges: NDArray[np.float64]
    normalised_counts: NDArray[np.int64]

    @property
    def without_share(self) -> float:
        return self.without / self.items if self.items else 0.0


@dataclass(frozen=True)
class NeighbourSummary:
    """Top-1 scores over a whole data set, and whose list the hybrid takes: items, None without a model."""

    items: int
    tops: tuple[TopScores, ...]
    taken: Mapping[str, int] | None
    """``memory``, ``model``, ``none`` → items."""
    source: str
    weights: UsedWeights | None = None
    """Whose embeddings, and of which epoch; None without a model."""
