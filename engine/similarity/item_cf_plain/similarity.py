"""Memory-based correlation as the trainer uses it: Eq. 9 without inverse user frequency."""

from __future__ import annotations

from engine.similarity.item_cf_plain.counting import item_cf_plain
from engine.similarity.memory import MemorySimilarity


class ItemCFPlain(MemorySimilarity):
    """Eq. 9 without inverse user frequency, counted once."""

    count = staticmethod(item_cf_plain)
