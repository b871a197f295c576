"""Cosine of two items' vectors over the users, x_ui being how often user u chose item i.

    Cor(i, j) = Σ_u x_ui x_uj / sqrt(Σ_u x_ui² · Σ_u x_uj²)

Where nobody chooses an item twice (Beauty, Sports), x is 0 or 1 and this is |N(i) ∩ N(j)| / sqrt(|N(i)| |N(j)|): the
number of ItemCF without inverse user frequency. Where users do (Yelp), what they return to weighs more.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from engine.data.sequences import Sequences
from engine.similarity.counting import PAIRS_AT_ONCE, shared_users
from engine.similarity.neighbours import Neighbours


def cosine(sequences: Sequences, item_count: int, k: int, pairs_at_once: int = PAIRS_AT_ONCE) -> Neighbours:
    """The ``k`` best neighbours of items 1…``item_count``; rows 0 and item_count + 1 have none."""
    rows = item_count + 2
    ones = np.ones(len(sequences.items), dtype=np.float64)
    amounts = sparse.csr_array((ones, sequences.items, sequences.offsets), shape=(len(sequences), rows), copy=True)
    amounts.sum_duplicates()  # x, [U, rows]
    chosen = sparse.csr_array((np.ones(amounts.nnz), amounts.indices, amounts.indptr), shape=amounts.shape)
    squares = np.bincount(amounts.indices, weights=amounts.data**2, minlength=rows)
    scale = 1.0 / np.sqrt(np.maximum(squares, 1.0))
    return shared_users(chosen, k, scale=scale, amounts=amounts, pairs_at_once=pairs_at_once)
