"""Memory-based correlation as the trainer uses it: Eq. 9."""

from __future__ import annotations

from engine.similarity.item_cf.counting import item_cf
from engine.similarity.memory import MemorySimilarity


class ItemCF(MemorySimilarity):
    """Eq. 9, counted once."""

    count = staticmethod(item_cf)
