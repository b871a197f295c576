"""Memory-based correlation, Eq. 9: ItemCF with inverse user frequency.

    Cor_o(i, j) = 1 / sqrt(|N(i)| |N(j)|) · Σ_{u ∈ N(i) ∩ N(j)} 1 / log(1 + |N(u)|)

N(i) are the users of item i, N(u) the *distinct* items of user u, both in what is counted of the sequences (FACTS F15).
"""

from __future__ import annotations

import numpy as np

from engine.data.sequences import Sequences
from engine.similarity.counting import PAIRS_AT_ONCE, root_of_users, shared_users, who_has_what
from engine.similarity.neighbours import Neighbours


def item_cf(sequences: Sequences, item_count: int, k: int, pairs_at_once: int = PAIRS_AT_ONCE) -> Neighbours:
    """The ``k`` best neighbours of items 1…``item_count`` by Eq. 9; rows 0 and item_count + 1 have none."""
    chosen = who_has_what(sequences, item_count)
    items_of_user = np.diff(chosen.indptr)
    weights = np.zeros(len(items_of_user))
    np.divide(1.0, np.log1p(items_of_user), out=weights, where=items_of_user > 0)
    return shared_users(chosen, k, scale=root_of_users(chosen), user_weights=weights, pairs_at_once=pairs_at_once)
