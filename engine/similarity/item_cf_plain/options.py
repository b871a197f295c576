"""Memory-based: ItemCF without inverse user frequency: announcement, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.registry import Options, register

if TYPE_CHECKING:
    from engine.data.sequences import Sequences
    from engine.similarity.neighbours import Neighbours


def neighbours(sequences: Sequences, item_count: int, k: int, _: Options) -> Neighbours:
    """Every item's ``k`` best. No torch, since look-ups ask for it too, and scipy only now."""
    from engine.similarity.item_cf_plain.counting import item_cf_plain

    return item_cf_plain(sequences, item_count, k)


register(
    "similarity",
    "item_cf_plain",
    label="Memory-based: ItemCF without inverse user frequency",
    short="ItemCF without IUF",
    help="Eq. 9 in which every user counts alike: |N(i) ∩ N(j)| / √(|N(i)| |N(j)|).",
    target="engine.similarity.memory:MemorySimilarity",
    uses_memory=True,
    uses_model=False,
    neighbours=neighbours,
)
