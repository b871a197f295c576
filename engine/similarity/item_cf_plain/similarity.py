"""Memory-based correlation as the trainer uses it: Eq. 9 without inverse user frequency."""

from __future__ import annotations

from engine.data.sequences import Sequences
from engine.similarity.item_cf_plain.counting import item_cf_plain
from engine.similarity.memory import MemorySimilarity
from engine.similarity.neighbours import Neighbours


class ItemCFPlain(MemorySimilarity):
    """Eq. 9 without inverse user frequency, counted once."""

    def count(self, sequences: Sequences, item_count: int, k: int) -> Neighbours:
        return item_cf_plain(sequences, item_count, k)
