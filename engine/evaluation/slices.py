"""Metrics of parts of the users, by training length and by the target's popularity: where gains come from. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.dataset import Dataset
from engine.data.splits import LeaveOneOut
from engine.data.summary import training_users
from engine.evaluation.significance import share_interval

LENGTHS = (2, 4, 8, 12, 20, 50)
"""Highest training length (FACTS F4) of each bucket; the compared runs' K are added, the last one is what is longer."""
POPULARITIES = (0, 4, 9, 19, 49, 99, 199)
"""Most training users of a target in each bucket; 0 are the cold ones."""


@dataclass(frozen=True, eq=False)
class Buckets:
    """``of`` [U] is each user's bucket, 0…B − 1; none of the ``labels`` [B] is empty."""

    labels: tuple[str, ...]
    of: NDArray[np.int64]
    users: NDArray[np.int64]
    """Users of each bucket, [B]."""


def buckets(values: NDArray[np.integer], highest: Iterable[int]) -> Buckets:
    """``values`` [U] in ranges that end at each of ``highest``, and one beyond the last; empty ones are left out.

    >>> buckets(np.array([1, 2, 3, 9]), (2, 4)).labels
    ('≤ 2', '3–4', '≥ 5')
    """
    edges = sorted(set(highest))
    place = np.searchsorted(edges, values, side="left")
    kept, of = np.unique(place, return_inverse=True)
    labels = tuple(_label(edges, int(number)) for number in kept)
    return Buckets(labels, of.astype(np.int64), np.bincount(of, minlength=len(kept)).astype(np.int64))


def _label(edges: list[int], number: int) -> str:
    if number == len(edges):
        return f"≥ {edges[-1] + 1}"
    high = edges[number]
    if number == 0:
        return f"≤ {high}" if high > 0 else f"{high}"
    low = edges[number - 1] + 1
    return f"{low}–{high}" if low < high else f"{high}"


def by_length(split: LeaveOneOut, ks: Iterable[int] = ()) -> Buckets:
    """Evaluated users by the length of their training input; each K is the end of a bucket."""
    return buckets(split.train_inputs.lengths, {*LENGTHS, *(k for k in ks if k > 0)})


def by_popularity(dataset: Dataset, split: LeaveOneOut, which: str) -> Buckets:
    """Evaluated users by how many users' training parts have their target; ``which`` is ``valid`` or ``test``."""
    targets = split.valid_targets if which == "valid" else split.test_targets
    return buckets(training_users(dataset)[targets], POPULARITIES)


def means(values: NDArray[np.float64], found: Buckets) -> NDArray[np.float64]:
    """Mean of ``values`` [U] in each bucket, [B]."""
    return np.bincount(found.of, weights=values, minlength=len(found.users)) / found.users


def intervals(values: NDArray[np.float64], found: Buckets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interval of each bucket's mean over its users, bootstrapped: low and high, [B] each."""
    pairs = [share_interval(values[found.of == number]) for number in range(len(found.users))]
    return np.array([low for low, _ in pairs]), np.array([high for _, high in pairs])
