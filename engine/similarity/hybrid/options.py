"""Hybrid: memory-based, then the better of both: announcement, without torch."""

from __future__ import annotations

from engine.registry import register

register(
    "similarity",
    "hybrid",
    label="Hybrid: memory-based, then the better of both",
    short="Hybrid (Eq. 11)",
    help="Memory-based for E epochs, then the higher normalised score of both (Eq. 11).",
    target="engine.similarity.hybrid.similarity:HybridSimilarity",
    uses_memory=True,
    uses_model=True,
    reads=("hybrid_after_epoch",),
)
