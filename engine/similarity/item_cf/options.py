"""Memory-based: ItemCF with inverse user frequency: announcement, without torch."""

from __future__ import annotations

from engine.registry import register

register(
    "similarity",
    "item_cf",
    label="Memory-based: ItemCF with inverse user frequency",
    help="Items are correlated when the same users chose both (Eq. 9).",
    target="engine.similarity.item_cf.similarity:ItemCF",
    uses_memory=True,
    uses_model=False,
)
