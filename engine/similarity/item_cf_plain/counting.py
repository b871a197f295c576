"""ItemCF without inverse user frequency: Eq. 9 in which every user counts alike.

    Cor(i, j) = |N(i) ∩ N(j)| / sqrt(|N(i)| |N(j)|)

Beside Eq. 9 it shows what the weight 1 / log(1 + |N(u)|) is worth: there, users of many items speak more softly.
"""

from __future__ import annotations

from engine.data.sequences import Sequences
from engine.similarity.counting import PAIRS_AT_ONCE, root_of_users, shared_users, who_has_what
from engine.similarity.neighbours import Neighbours


def item_cf_plain(sequences: Sequences, item_count: int, k: int, pairs_at_once: int = PAIRS_AT_ONCE) -> Neighbours:
    """The ``k`` best neighbours of items 1…``item_count``; rows 0 and item_count + 1 have none."""
    chosen = who_has_what(sequences, item_count)
    return shared_users(chosen, k, scale=root_of_users(chosen), pairs_at_once=pairs_at_once)
