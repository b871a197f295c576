"""Memory-based: cosine over how often users chose both: announcement, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.registry import Options, register

if TYPE_CHECKING:
    from engine.data.sequences import Sequences
    from engine.similarity.neighbours import Neighbours


def neighbours(sequences: Sequences, item_count: int, k: int, _: Options) -> Neighbours:
    """Every item's ``k`` best. No torch, since look-ups ask for it too, and scipy only now."""
    from engine.similarity.cosine.counting import cosine

    return cosine(sequences, item_count, k)


register(
    "similarity",
    "cosine",
    label="Memory-based: cosine over how often users chose both",
    short="Cosine",
    help="Σ x_ui x_uj / √(Σ x_ui² Σ x_uj²), x being how often a user chose an item. "
    "Where nobody chose an item twice it is ItemCF without inverse user frequency.",
    target="engine.similarity.memory:MemorySimilarity",
    uses_memory=True,
    uses_model=False,
    neighbours=neighbours,
)
