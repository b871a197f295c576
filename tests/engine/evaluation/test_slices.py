"""Buckets of users against a loop; K is always the end of one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.dataset import load
from engine.data.splits import leave_one_out
from engine.evaluation.slices import buckets, by_length, by_popularity, intervals, means


@given(st.lists(st.integers(0, 60), min_size=1, max_size=50), st.sets(st.integers(0, 50), min_size=1, max_size=5))
def test_buckets_are_those_of_a_loop(values: list[int], edges: set[int]) -> None:
    found = buckets(np.array(values), edges)
    ordered = [*sorted(edges), 10**9]
    expected: dict[int, list[int]] = {}
    for value in values:
        expected.setdefault(next(n for n, edge in enumerate(ordered) if value <= edge), []).append(value)
    assert found.users.tolist() == [len(expected[n]) for n in sorted(expected)]
    numbers = np.array(values, dtype=float)
    assert means(numbers, found) == pytest.approx([np.mean(expected[n]) for n in sorted(expected)])
    assert len(found.labels) == len(set(found.labels)) == len(found.users)


def test_labels_say_the_ranges() -> None:
    assert buckets(np.array([0, 1, 2, 3, 4, 5, 60]), (0, 1, 3, 50)).labels == ("0", "1", "2–3", "4–50", "≥ 51")


def test_intervals_hold_their_means() -> None:
    found = buckets(np.repeat([1, 3], 200), (2,))
    values = np.random.default_rng(1).random(400)
    low, high = intervals(values, found)
    assert (low < means(values, found)).all()
    assert (means(values, found) < high).all()


def test_the_samples_users_by_length_and_popularity() -> None:
    dataset = load("sample")
    split = leave_one_out(dataset)
    lengths = by_length(split, (3,))
    assert "≤ 2" in lengths.labels
    assert "3" in lengths.labels
    short = sum(lengths.users[: lengths.labels.index("3") + 1])
    assert short == (split.train_inputs.lengths <= 3).sum()
    popular = by_popularity(dataset, split, "test")
    training = [set(row.tolist()) for row in (split.training_part[n] for n in range(len(split.users)))]
    target = int(split.test_targets[0])
    users = sum(target in row for row in training)
    low, _, high = popular.labels[popular.of[0]].partition("–")
    assert int(low) <= users <= int(high)
    assert popular.users.sum() == lengths.users.sum() == len(split.users)
