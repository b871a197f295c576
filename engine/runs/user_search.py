"""Users on whom runs agree or disagree, from the ranks that the runs have stored. No torch, and no model is asked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.data.splits import leave_one_out
from engine.errors import RunError, UsageError
from engine.records import FoundUsers, Outcome, RunRecord
from engine.runs.data import data_of
from engine.runs.groups import refuse_unlike, refuse_unmeasured
from engine.runs.ranks import refuse_other_users, stored_ranks

MOST_RUNS = 3
"""Runs side by side: more lists than that are not compared by eye."""
Order = Literal["difference", "rank", "length", "file"]
ORDERS: dict[str, str] = {
    "difference": "the largest gain of the first run over the second on top",
    "rank": "the best rank of the first run on top",
    "length": "the longest training input on top",
    "file": "as the data file has them",
}
Values = NDArray[np.float64]


def find_users(
    records: Sequence[RunRecord],
    *,
    right: Sequence[int] = (),
    wrong: Sequence[int] = (),
    k: int = 10,
    split: Literal["valid", "test"] = "test",
    shortest: int = 0,
    longest: int | None = None,
    order: str = "difference",
    is_reversed: bool = False,
    limit: int = 100,
) -> FoundUsers:
    """Users whose target the runs ``right`` (places in ``records``) have among their first ``k``, and ``wrong`` not.

    Right is what HR@k counts: a stored rank, from 0, below k. ``shortest`` and ``longest`` bound the training input
    (FACTS F4). Differences are between the first right and the first wrong run where there are both, otherwise between
    the first two.

    Raises ``UsageError`` for more than three runs, runs of other data or protocols (naming the field), without metrics
    of the split, or whose data file is gone, and for a k, a place or an order that there is not; ``RunError`` for runs
    that kept no ranks, or damaged ones.
    """
    _refuse(records, right, wrong, k, split, order)
    users, ranks = _ranks(records, split)
    dataset = data_of(records[0])
    evaluated = leave_one_out(dataset)
    if not np.array_equal(evaluated.users, users):
        raise UsageError(f"Run {records[0].id} did not rank the users of {dataset.path}.", "Choose other runs.")
    lengths = evaluated.train_inputs.lengths
    in_range = (lengths >= shortest) & (lengths <= (np.iinfo(np.int64).max if longest is None else longest))
    hits = ranks < k  # [E, R]
    matches = in_range & hits[:, list(right)].all(1) & ~hits[:, list(wrong)].any(1)
    between = _between(len(records), right, wrong)
    differences = _differences(ranks[:, between[0]], ranks[:, between[1]])
    found = np.flatnonzero(matches)
    found = found[_sorted(order, ranks[found, between[0]], differences[found], lengths[found], is_reversed)][:limit]
    return FoundUsers(
        split=split,
        k=k,
        runs=tuple(record.id for record in records),
        right=tuple(records[place].id for place in right),
        wrong=tuple(records[place].id for place in wrong),
        between=between,
        order=order,
        evaluated=len(users),
        in_range=int(in_range.sum()),
        count=int(matches.sum()),
        outcomes=_outcomes(hits[in_range]),
        ids=tuple(dataset.user_ids[users[found]].tolist()),
        rows=users[found],
        lengths=lengths[found],
        ranks=ranks[found] + 1,
        differences=differences[found],
    )


def _refuse(
    records: Sequence[RunRecord], right: Sequence[int], wrong: Sequence[int], k: int, split: str, order: str
) -> None:
    refuse_too_many(records)
    if k < 1:
        raise UsageError(f"A target cannot be among the first {k}.", "Choose a k of at least 1.")
    if order not in ORDERS:
        raise UsageError(f"There is no order '{order}'.", f"Known: {', '.join(ORDERS)}.")
    for place in (*right, *wrong):
        if not 0 <= place < len(records):
            raise UsageError(f"There is no run {place + 1} to be right or wrong.", f"There are {len(records)}.")
    both = sorted(set(right) & set(wrong))
    if both:
        raise UsageError(f"Run {records[both[0]].id} cannot be right and wrong at once.", "Choose one of the two.")
    refuse_unlike(records)
    refuse_unmeasured(records, split)


def refuse_too_many(records: Sequence[RunRecord]) -> None:
    """Raises ``UsageError`` for no run, more than three, or one that is named twice."""
    if not 1 <= len(records) <= MOST_RUNS:
        raise UsageError(f"{len(records)} runs cannot be set side by side.", f"Choose 1 to {MOST_RUNS}.")
    ids = [record.id for record in records]
    for run_id in ids:
        if ids.count(run_id) > 1:
            raise UsageError(f"Run {run_id} is named twice.", "Name each run once.")


def _ranks(records: Sequence[RunRecord], split: str) -> tuple[NDArray[np.int64], Values]:
    """Evaluated rows [E] of the data set, and ranks from 0 [E, R]."""
    columns = []
    users: NDArray[np.int64] | None = None
    for record in records:
        stored = stored_ranks(record, split)
        if stored is None:
            raise RunError(
                f"Run {record.id} kept no ranks of its users.",
                "Choose a run whose ranks.npz is there, or run it again.",
            )
        if users is None:
            users = stored.users
        refuse_other_users(record.id, stored.users, records[0].id, users)
        columns.append(stored.ranks)
    assert users is not None
    return users, np.stack(columns, 1)


def _between(count: int, right: Sequence[int], wrong: Sequence[int]) -> tuple[int, int]:
    """Places of the two runs whose ranks are subtracted."""
    if right and wrong:
        return right[0], wrong[0]
    return (0, 0) if count == 1 else (0, 1)


def _differences(first: Values, second: Values) -> Values:
    """How many places ``first`` is better, [E]; ∞ where only the second never lists the target, 0 where both do not."""
    alike = np.isinf(first) & np.isinf(second)
    return np.subtract(second, first, out=np.zeros_like(first), where=~alike)


def _sorted(
    order: str, first: Values, differences: Values, lengths: NDArray[np.int64], is_reversed: bool
) -> NDArray[np.integer]:
    """Places in the order asked for; equals stay in the file's order, of differences the better rank comes first."""
    keys = {
        "difference": (first, -differences),
        "rank": (first,),
        "length": (-lengths,),
        "file": (np.arange(len(first)),),
    }
    chosen = keys[order]
    return np.lexsort(tuple(-key for key in chosen) if is_reversed else chosen)


def _outcomes(hits: NDArray[np.bool_]) -> tuple[Outcome, ...]:
    """Users of each combination of right runs, all right first, all wrong last. hits [E, R]"""
    runs = hits.shape[1]
    combinations = [c for size in range(runs, -1, -1) for c in itertools.combinations(range(runs), size)]
    return tuple(Outcome(right, int((hits == np.isin(np.arange(runs), right)).all(1).sum())) for right in combinations)
