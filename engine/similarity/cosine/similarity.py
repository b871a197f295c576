"""Memory-based correlation as the trainer uses it: the cosine of two items over their users."""

from __future__ import annotations

from engine.similarity.cosine.counting import cosine
from engine.similarity.memory import MemorySimilarity


class Cosine(MemorySimilarity):
    """The cosine of two items over their users, counted once."""

    count = staticmethod(cosine)
