"""The four steps beside naive loops on random actions."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.data import preprocess

Actions = list[tuple[int, int, int]]
ACTIONS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), max_size=60)


def columns(actions: Actions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = np.array(actions, dtype=np.int64).reshape(-1, 3)
    return table[:, 0].astype(np.int32), table[:, 1].astype(np.int32), table[:, 2]


def by_user(actions: Actions) -> Actions:
    return sorted(actions, key=lambda action: action[0])


@given(ACTIONS, st.integers(0, 4))
def test_the_core_is_what_dropping_one_by_one_leaves(actions: Actions, k: int) -> None:
    left = list(enumerate(actions))
    while True:
        users = Counter(user for _, (user, _, _) in left)
        items = Counter(item for _, (_, item, _) in left)
        bad = next((n for n, (_, (user, item, _)) in enumerate(left) if users[user] < k or items[item] < k), None)
        if bad is None:
            break
        del left[bad]
    users_, items_, _ = columns(actions)
    kept, rounds = preprocess.core(users_, items_, k)
    assert kept.tolist() == [place for place, _ in left]
    assert (rounds > 0) == (len(left) < len(actions))


@given(ACTIONS)
def test_order_is_user_then_time_then_file(actions: Actions) -> None:
    users, _, times = columns(actions)
    expected = sorted(range(len(actions)), key=lambda place: (actions[place][0], actions[place][2], place))
    assert preprocess.in_order(users, times).tolist() == expected
    without_times = sorted(range(len(actions)), key=lambda place: (actions[place][0], place))
    assert preprocess.in_order(users, None).tolist() == without_times


@given(ACTIONS)
def test_equal_times_can_go_by_item(actions: Actions) -> None:
    users, items, times = columns(actions)
    expected = sorted(range(len(actions)), key=lambda n: (actions[n][0], actions[n][2], actions[n][1], n))
    assert preprocess.in_order(users, times, items).tolist() == expected


@given(ACTIONS)
def test_duplicates(actions: Actions) -> None:
    ordered = by_user(actions)
    users, items, _ = columns(ordered)
    pairs = [(user, item) for user, item, _ in ordered]
    first = [pair not in pairs[:n] for n, pair in enumerate(pairs)]
    last = [pair not in pairs[n + 1 :] for n, pair in enumerate(pairs)]
    consecutive = [n == 0 or pair != pairs[n - 1] for n, pair in enumerate(pairs)]
    assert preprocess.without_repeats(users, items, "first").tolist() == first
    assert preprocess.without_repeats(users, items, "last").tolist() == last
    assert preprocess.without_repeats(users, items, "consecutive").tolist() == consecutive
    assert preprocess.without_repeats(users, items, "keep").all()


@given(ACTIONS, st.integers(0, 5))
def test_the_latest_of_each_user(actions: Actions, longest: int) -> None:
    ordered = by_user(actions)
    users, _, _ = columns(ordered)
    after = [sum(other[0] == user for other in ordered[n + 1 :]) for n, (user, _, _) in enumerate(ordered)]
    assert preprocess.latest(users, longest).tolist() == [not longest or left < longest for left in after]


@given(ACTIONS)
def test_ties(actions: Actions) -> None:
    ordered = sorted(actions, key=lambda action: (action[0], action[2]))
    users, _, times = columns(ordered)
    same = [(one[0], one[2]) == (other[0], other[2]) for one, other in pairwise(ordered)]
    assert preprocess.ties(users, times) == sum(same)
