"""Model-based: dot product of embeddings: announcement, without torch."""

from __future__ import annotations

from engine.registry import register

register(
    "similarity",
    "embedding",
    label="Model-based: dot product of embeddings",
    short="Model (Eq. 10)",
    help="Items are correlated when their embeddings agree (Eq. 10).",
    target="engine.similarity.embedding.similarity:EmbeddingSimilarity",
    uses_memory=False,
    uses_model=True,
)
