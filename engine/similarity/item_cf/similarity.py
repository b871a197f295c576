"""Memory-based correlation as the trainer uses it: Eq. 9."""

from __future__ import annotations

from engine.data.sequences import Sequences
from engine.similarity.item_cf.counting import item_cf
from engine.similarity.memory import MemorySimilarity
from engine.similarity.neighbours import Neighbours


class ItemCF(MemorySimilarity):
    """Eq. 9, counted once."""

    def count(self, sequences: Sequences, item_count: int, k: int) -> Neighbours:
        return item_cf(sequences, item_count, k)
