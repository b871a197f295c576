"""Memory-based: ItemCF with inverse user frequency: announcement, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.registry import Options, register

if TYPE_CHECKING:
    from engine.data.sequences import Sequences
    from engine.similarity.neighbours import Neighbours


def neighbours(sequences: Sequences, item_count: int, k: int, _: Options) -> Neighbours:
    """Every item's ``k`` best. No torch, since look-ups ask for it too, and scipy only now."""
    from engine.similarity.item_cf.counting import item_cf

    return item_cf(sequences, item_count, k)


register(
    "similarity",
    "item_cf",
    label="Memory-based: ItemCF with inverse user frequency",
    short="Memory (Eq. 9)",
    help="Items are correlated when the same users chose both (Eq. 9).",
    target="engine.similarity.memory:MemorySimilarity",
    uses_memory=True,
    uses_model=False,
    neighbours=neighbours,
)
