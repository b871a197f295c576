"""The sparse product against Eq. 9's double loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.sequences import Sequences
from engine.similarity.item_cf.counting import item_cf
from tests.engine.similarity import naive

ITEMS = 8
rows_of_items = st.lists(st.lists(st.integers(1, ITEMS), max_size=7), max_size=9)


@given(rows_of_items, st.integers(1, 10), st.sampled_from([1, 7, 10_000]))
def test_it_is_equation_9(rows: list[list[int]], k: int, pairs_at_once: int) -> None:
    found = item_cf(Sequences.from_lists(rows), ITEMS, k, pairs_at_once)
    scores, shared = naive.memory(rows)
    assert found.shared is not None
    assert found.ids.shape == found.scores.shape == found.shared.shape == (ITEMS + 2, k)
    for item in range(ITEMS + 2):
        expected = naive.ranked(scores, item, k)
        gap = [0] * (k - len(expected))
        assert found.ids[item].tolist() == [other for other, _ in expected] + gap
        assert found.scores[item] == pytest.approx([score for _, score in expected] + gap, rel=1e-6)
        assert found.shared[item].tolist() == [shared[item, other] for other, _ in expected] + gap
        assert found.users[item] == sum(item in row for row in rows)
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6)
    normal = [[naive.normalise(score, found.low, found.high) for _, score in naive.ranked(scores, i, k)]
              for i in range(ITEMS + 2)]  # fmt: skip
    for item, expected_scores in enumerate(normal):
        expected_scores += [0.0] * (k - len(expected_scores))
        assert found.normalised[item] == pytest.approx(expected_scores, abs=1e-5)
        assert found.normalised_of(item).tolist() == found.normalised[item].tolist()


def test_by_hand() -> None:
    """Users {1, 2} and {1, 2, 3}: both have 1 and 2, so Cor(1, 2) = (1/ln 3 + 1/ln 4) / √(2 · 2)."""
    found = item_cf(Sequences.from_lists([[1, 2], [1, 2, 3]]), 3, 2)
    both = (1 / math.log(3) + 1 / math.log(4)) / 2
    one = 1 / math.log(4) / math.sqrt(2)
    assert found.ids.tolist() == [[0, 0], [2, 3], [1, 3], [1, 2], [0, 0]]
    assert found.scores[1:4] == pytest.approx(np.array([[both, one], [both, one], [one, one]]))
    assert (found.low, found.high) == pytest.approx((one, both))
    assert found.normalised[1].tolist() == [1.0, 0.0]


def test_choosing_twice_counts_once() -> None:
    once = item_cf(Sequences.from_lists([[1, 2, 3], [2, 3]]), 3, 3)
    twice = item_cf(Sequences.from_lists([[1, 2, 1, 3, 3], [3, 2, 3]]), 3, 3)
    assert once.scores.tolist() == twice.scores.tolist()
    assert once.ids.tolist() == twice.ids.tolist()


def test_ties_go_to_the_lower_id_in_whatever_order_users_come() -> None:
    """Items 2…7 each share two users of 3 and 5 items with item 1: equal sums, added up in either order."""
    rows = [[1, 2, 3], [1, 4, 5], [1, 6, 7], [1, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        assert item_cf(Sequences.from_lists(order), 9, 6).ids[1].tolist() == [2, 3, 4, 5, 6, 7]


def test_items_without_neighbours_have_none() -> None:
    found = item_cf(Sequences.from_lists([[1], [2], [2, 2], []]), 3, 2)
    assert not found.ids.any()
    assert not found.normalised.any()
    assert (found.low, found.high) == (0.0, 0.0)
    assert found.users.tolist() == [0, 1, 2, 0, 0]


def test_where_all_pairs_score_alike_normalised_scores_are_zero() -> None:
    found = item_cf(Sequences.from_lists([[1, 2], [3, 4]]), 4, 1)
    assert found.ids[:, 0].tolist() == [0, 2, 1, 4, 3, 0]
    assert found.normalised.tolist() == [[0.0]] * 6


def test_fewer_of_them_are_the_best_of_them() -> None:
    chance = np.random.default_rng(3)
    rows = [chance.integers(1, 31, size=8).tolist() for _ in range(60)]
    many, few = (item_cf(Sequences.from_lists(rows), 30, k) for k in (20, 4))
    assert many.top(4).ids.tolist() == few.ids.tolist()
    assert many.top(4).normalised.tolist() == few.normalised.tolist()
    assert many.top(4).shared is not None
    assert few.shared is not None
    assert many.top(4).shared.tolist() == few.shared.tolist()  # type: ignore[union-attr]


def test_blocks_do_not_change_anything() -> None:
    chance = np.random.default_rng(4)
    sequences = Sequences.from_lists([chance.integers(1, 101, size=12).tolist() for _ in range(200)])
    whole = item_cf(sequences, 100, 10)
    for pairs in (1, 500, 5_000):
        parts = item_cf(sequences, 100, 10, pairs)
        assert parts.ids.tolist() == whole.ids.tolist()
        assert parts.scores.tolist() == whole.scores.tolist()
        assert (parts.low, parts.high) == (whole.low, whole.high)
