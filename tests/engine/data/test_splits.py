"""The split against slices of Python lists; shares and noise against what FACTS F18 says of them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.data.sequences import Sequences
from engine.data.splits import LeaveOneOut, noisy_test_inputs, training_rows, unseen_items

ITEMS = 9
rows_of_items = st.lists(st.lists(st.integers(1, ITEMS), min_size=0, max_size=12), max_size=12)


def lists(sequences: Sequences) -> list[list[int]]:
    return [sequences[row].tolist() for row in range(len(sequences))]


@given(rows_of_items)
def test_it_is_slicing(rows: list[list[int]]) -> None:
    split = LeaveOneOut(Sequences.from_lists(rows))
    kept = [row for row in rows if len(row) >= 4]
    assert split.users.tolist() == [index for index, row in enumerate(rows) if len(row) >= 4]
    assert split.too_short.tolist() == [index for index, row in enumerate(rows) if len(row) < 4]
    assert lists(split.whole) == kept
    assert lists(split.train_inputs) == [row[:-3] for row in kept]
    assert lists(split.train_targets) == [row[1:-2] for row in kept]
    assert lists(split.valid_inputs) == lists(split.training_part) == [row[:-2] for row in kept]
    assert split.valid_targets.tolist() == [row[-2] for row in kept]
    assert lists(split.test_inputs) == [row[:-1] for row in kept]
    assert split.test_targets.tolist() == [row[-1] for row in kept]


@given(rows_of_items)
def test_correlations_count_everybody_and_hold_out_where_there_is_something_to(rows: list[list[int]]) -> None:
    split = LeaveOneOut(Sequences.from_lists(rows))
    assert lists(split.correlation_sequences("inputs")) == [row[:-3] if len(row) >= 4 else row for row in rows]
    assert lists(split.correlation_sequences("training")) == [row[:-2] if len(row) >= 4 else row for row in rows]


def test_a_share_takes_the_first_users_or_random_ones() -> None:
    assert training_rows(10, 0.5, "first").tolist() == [0, 1, 2, 3, 4]
    assert training_rows(100, 0.29, "first").size == 29  # 0.29 · 100 is 28.999… in floating point
    assert training_rows(7, 0.01, "random").size == 1
    assert training_rows(7, 1.0, "random").tolist() == list(range(7))
    small, large = (set(training_rows(1000, share, "random", seed=3).tolist()) for share in (0.2, 0.6))
    assert small < large
    assert len(large) == 600
    assert small != set(training_rows(1000, 0.2, "random", seed=4).tolist())
    assert small != set(range(200))


@given(rows_of_items, st.floats(0, 3), st.integers(0, 2**31))
def test_noise_is_inserted_and_nothing_else_changes(rows: list[list[int]], rate: float, seed: int) -> None:
    split = LeaveOneOut(Sequences.from_lists(rows))
    noisy = noisy_test_inputs(split, ITEMS, rate, np.random.default_rng(seed))
    kept = [row for row in rows if len(row) >= 4]
    assert len(noisy) == len(kept)
    for row, got in zip(kept, lists(noisy), strict=True):
        assert [item for item in got if item in row] == row[:-1]
        added = len(got) - len(row) + 1
        assert added <= min(int(rate * len(row) + 1e-9), len(row))  # distinct positions of the whole sequence
        assert added > 0 or int(rate * len(row) + 1e-9) == 0 or set(row) == set(range(1, ITEMS + 1))
        assert all(1 <= item <= ITEMS for item in got)


def test_noise_of_rate_zero_is_none() -> None:
    split = LeaveOneOut(Sequences.from_lists([[1, 2, 3, 4, 5], [1, 2]]))
    assert lists(noisy_test_inputs(split, 9, 0.0, np.random.default_rng(1))) == [[1, 2, 3, 4]]


def test_noise_falls_on_every_position_alike() -> None:
    """One draw a user: before each of the 4 items, so also between the last of the input and the target."""
    users = 4000
    split = LeaveOneOut(Sequences.from_lists([[1, 2, 3, 4]] * users))
    noisy = lists(noisy_test_inputs(split, 99, 0.25, np.random.default_rng(5)))
    places = Counter(next(place for place, item in enumerate(row) if item > 4) for row in noisy)
    assert sorted(places) == [0, 1, 2, 3]
    assert stats.chisquare([places[place] for place in range(4)]).pvalue > 1e-4


@given(rows_of_items.filter(bool), st.integers(0, 2**31))
def test_unseen_items_are_unseen(rows: list[list[int]], seed: int) -> None:
    owners = np.repeat(np.arange(len(rows)), 5)
    found = unseen_items(Sequences.from_lists(rows), owners, ITEMS, np.random.default_rng(seed))
    for owner, item in zip(owners, found, strict=True):
        left = set(range(1, ITEMS + 1)) - set(rows[owner])
        assert item in left or (item == 0 and not left)


def test_unseen_items_are_uniform() -> None:
    sequences = Sequences.from_lists([[1, 2], [3, 5, 5, 8, 1], []])
    found = unseen_items(sequences, np.full(9000, 1), 8, np.random.default_rng(2))
    counts = Counter(found.tolist())
    assert sorted(counts) == [2, 4, 6, 7]
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


@pytest.mark.parametrize("which", ["first", "random"])
def test_an_empty_split_has_no_rows(which: str) -> None:
    assert training_rows(0, 0.5, which).tolist() == []  # type: ignore[arg-type]


def test_a_sample_of_users_is_always_the_same_one_and_holds_their_own_split() -> None:
    rows = [[user, 50 + user, 100 + user, 150 + user, 200 + user] for user in range(1, 41)] + [[1, 2]]
    split = LeaveOneOut(Sequences.from_lists(rows))
    for count in (1, 7, 39):
        sample = split.sample(count)
        assert len(sample.users) == count
        chosen = sample.whole.items.reshape(count, 5)
        assert [list(row) for row in chosen] == [rows[row[0] - 1] for row in chosen]
        assert sample.test_targets.tolist() == [200 + row[0] for row in chosen]
        assert np.array_equal(split.sample(count).whole.items, sample.whole.items)
    assert split.sample(0) is split
    assert split.sample(40) is split
    assert split.sample(7).whole.items[::5].tolist() != list(range(1, 8))
