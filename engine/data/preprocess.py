"""What is kept of interactions, in four steps: minimum rating, duplicates, longest sequence, k-core (paper §5.1.1).

All functions are pure and work on columns of actions; a *mask* is True where an action stays. The actions of a user
stand together and in the order of their times (`in_order`) before the second step.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Mask = NDArray[np.bool_]
Duplicates = Literal["keep", "first", "last", "consecutive"]


def in_order(users: Ints, times: Ints | None, tie_ranks: Ints | None = None) -> NDArray[np.int64]:
    """The actions [A] by user, then time; equal times as they stand, or by ``tie_ranks`` [A] where those are given."""
    if times is not None and tie_ranks is None and bool(np.all(times[1:] >= times[:-1])):
        times = None  # a log in the order of time needs no second sorting
    keys = [key for key in (tie_ranks, times) if key is not None]
    if not keys:
        return np.argsort(users, kind="stable")
    return np.lexsort((*keys, users))


def ties(users: Ints, times: Ints) -> int:
    """Actions, in order, at the same time as the same user's action before."""
    return int(np.count_nonzero((users[1:] == users[:-1]) & (times[1:] == times[:-1])))


def twice(users: Ints, items: Ints, times: Ints) -> tuple[int, int]:
    """Actions, in order, that repeat an earlier one with the same user, item and time; and those among them that follow
    it immediately.

    >>> users, items, times = np.array([1, 1, 1, 1]), np.array([7, 8, 7, 7]), np.array([5, 5, 5, 6])
    >>> twice(users, items, times)  # the second 7 at time 5
    (1, 0)
    """
    same = (users[1:] == users[:-1]) & (times[1:] == times[:-1])
    at_once = int(np.count_nonzero(same & (items[1:] == items[:-1])))
    moments = np.cumsum(np.concatenate([[True], ~same]))[: len(users)]  # one number for each user and time
    tied = (
        np.flatnonzero(np.append(same, False) | np.append(False, same)) if len(users) else np.empty(0, dtype=np.int64)
    )
    pairs = moments[tied] * (int(items.max(initial=0)) + 1) + items[tied]
    return len(pairs) - len(np.unique(pairs)), at_once


def without_repeats(users: Ints, items: Ints, policy: Duplicates) -> Mask:
    """Which actions, in order, stay when a user has an item more than once: the first or last of them, or all but
    immediate repeats (each equal to the action before)."""
    keep = np.ones(len(users), dtype=bool)
    if policy == "consecutive":
        keep[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    elif policy != "keep":
        pairs = users.astype(np.int64) * (int(items.max(initial=0)) + 1) + items
        order = np.argsort(pairs, kind="stable")
        again = pairs[order][1:] == pairs[order][:-1]
        keep[order[1:][again] if policy == "first" else order[:-1][again]] = False
    return keep


def latest(users: Ints, longest: int) -> Mask:
    """The last ``longest`` actions of each user, of actions in order; 0 keeps all."""
    if not longest or not len(users):
        return np.ones(len(users), dtype=bool)
    ends = np.flatnonzero(np.diff(users, append=users[-1] + 1)) + 1
    lengths = np.diff(ends, prepend=0)
    return np.repeat(ends, lengths) - np.arange(len(users)) <= longest


def core(users: Ints, items: Ints, k: int) -> tuple[NDArray[np.int64], int]:
    """The k-core's actions, ascending: the largest set of actions in which every user and every
    item has at least ``k``; and the rounds of
    dropping it took. The order of actions does not matter, and the set is the only one."""
    keep = np.arange(len(users))
    rounds = 0
    while k > 1 and len(keep):
        rare_users = np.bincount(users) < k
        rare_items = np.bincount(items) < k
        stays = ~(rare_users[users] | rare_items[items])
        if stays.all():
            break
        rounds += 1
        keep, users, items = keep[stays], users[stays], items[stays]
    return keep, rounds
