"""Memory-based correlations: who shares which items, as one sparse product in blocks of rows.

Every one of them is a weighted sum over the users who have both items, scaled by something of each item:

    Cor(i, j) = s_i · s_j · Σ_u w_u · x_ui · x_uj

Eq. 9, Eq. 9 without its user weights and the cosine differ in w, x and s alone; what is counted of the sequences is the
caller's (FACTS F15).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.data.sequences import Sequences
from engine.similarity.neighbours import Neighbours

PAIRS_AT_ONCE = 4 * 2**20
"""Upper bound of a block's co-occurrences, counted with repeats: about 300 MB."""
_SCORE_BITS = 31  # of a float32 that is not negative


def shared_users(
    chosen: sparse.csr_array,
    k: int,
    *,
    scale: NDArray[np.float64],
    user_weights: NDArray[np.float64] | None = None,
    amounts: sparse.csr_array | None = None,
    pairs_at_once: int = PAIRS_AT_ONCE,
) -> Neighbours:
    """The ``k`` best neighbours of every item by the formula above; rows 0 and n + 1 have none.

    ``chosen`` [U, rows] holds ones, as `who_has_what` makes it. ``scale`` [rows] is s, ``user_weights`` [U] is w (None:
    1), ``amounts`` [U, rows] is x in the same places as ``chosen`` (None: ``chosen`` itself). Two items without a
    common user are no pair. Never items × items dense: memory grows with ``pairs_at_once`` and items × k.
    """
    rows = chosen.shape[1]
    amounts = chosen if amounts is None else amounts
    items_of_user = np.diff(chosen.indptr)  # |N(u)|, [U]
    users_of_item = np.bincount(chosen.indices, minlength=rows).astype(np.int64)  # |N(i)|, [rows]
    weighted = amounts
    if user_weights is not None:
        data = amounts.data * np.repeat(user_weights, items_of_user)
        weighted = sparse.csr_array((data, chosen.indices, chosen.indptr), shape=chosen.shape)
    by_item = chosen.T.tocsr()  # [rows, U]
    amounts_by_item = by_item if amounts is chosen else amounts.T.tocsr()

    ids = np.zeros((rows, k), dtype=np.int32)
    scores = np.zeros((rows, k), dtype=np.float32)
    shared = np.zeros((rows, k), dtype=np.int32)
    low, high = np.inf, -np.inf
    item_bits = rows.bit_length()
    for first, last in _blocks(by_item, items_of_user, pairs_at_once, 2 ** (64 - _SCORE_BITS - item_bits)):
        sums, counts = amounts_by_item[first:last] @ weighted, by_item[first:last] @ chosen
        owners, others, values, common = _pairs(sums, counts, first)
        if not len(values):
            continue
        # Summed in float64; as float32, so that equal sums added up in another order stay equal.
        values32 = (values * scale[owners] * scale[others]).astype(np.float32)
        low, high = min(low, float(values32.min())), max(high, float(values32.max()))
        kept, column = _best(owners, others, values32, k, item_bits)
        ids[owners[kept], column] = others[kept]
        scores[owners[kept], column] = values32[kept]
        shared[owners[kept], column] = common[kept]
    if low > high:
        low = high = 0.0
    return Neighbours(ids, scores, shared, users_of_item, low, high)


def who_has_what(sequences: Sequences, item_count: int) -> sparse.csr_array:
    """Ones, [U, ``item_count`` + 2]; an item that a user chose twice counts once."""
    distinct = sequences.distinct()
    ones = np.ones(len(distinct.items), dtype=np.float64)
    return sparse.csr_array((ones, distinct.items, distinct.offsets), shape=(len(sequences), item_count + 2))


def root_of_users(chosen: sparse.csr_array) -> NDArray[np.float64]:
    """1 / √|N(i)|, [rows]; 1 for an item that nobody has, which is in no pair."""
    users_of_item = np.bincount(chosen.indices, minlength=chosen.shape[1])
    return 1.0 / np.sqrt(np.maximum(users_of_item, 1))


def _blocks(
    by_item: sparse.csr_array, items_of_user: NDArray[np.int32], most: int, most_rows: int
) -> Iterator[tuple[int, int]]:
    """Ranges of at most ``most_rows`` rows with at most ``most`` co-occurrences; a row with more stands alone."""
    work = np.zeros(by_item.shape[0] + 1, dtype=np.int64)
    per_entry = np.concatenate([[0], np.cumsum(items_of_user[by_item.indices], dtype=np.int64)])
    np.cumsum(np.diff(per_entry[by_item.indptr]), out=work[1:])
    first = 0
    while first < len(work) - 1:
        last = max(first + 1, int(np.searchsorted(work, work[first] + most, side="right")) - 1)
        last = min(last, first + most_rows)
        yield first, last
        first = last


def _pairs(
    scores: sparse.csr_array, counts: sparse.csr_array, first: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Off-diagonal entries of a block whose first row is item ``first``: row, column, sum of weights, shared users.

    Both products have one pattern, in the same order: they come out of the same indices.
    """
    owners = np.repeat(np.arange(first, first + scores.shape[0], dtype=np.int64), np.diff(scores.indptr))
    other = owners != scores.indices
    return owners[other], scores.indices[other], scores.data[other], counts.data[other].astype(np.int32)


def _best(
    owners: NDArray[np.int64], others: NDArray[np.int32], scores: NDArray[np.float32], k: int, item_bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of each owner's ``k`` best pairs, and the column (0…k − 1) that each takes. ``owners`` ascend.

    Owner, falling score and item packed into one integer sort several times faster than three keys do: positive floats
    order like their bits.
    """
    rank = np.uint64(2**_SCORE_BITS - 1) - scores.view(np.uint32).astype(np.uint64)
    local = (owners - owners[0]).astype(np.uint64)
    key = (local << np.uint64(_SCORE_BITS) | rank) << np.uint64(item_bits) | others.astype(np.uint64)
    order = np.argsort(key)
    starts = np.searchsorted(owners, np.arange(owners[0], owners[-1] + 2))
    column = np.arange(len(owners)) - starts[owners - owners[0]]
    kept = column < k
    return order[kept], column[kept]
