"""Memory-based correlation as the trainer uses it: the cosine of two items over their users."""

from __future__ import annotations

from engine.data.sequences import Sequences
from engine.similarity.cosine.counting import cosine
from engine.similarity.memory import MemorySimilarity
from engine.similarity.neighbours import Neighbours


class Cosine(MemorySimilarity):
    """The cosine of two items over their users, counted once."""

    def count(self, sequences: Sequences, item_count: int, k: int) -> Neighbours:
        return cosine(sequences, item_count, k)
