"""Ranks by counting equal ranks by sorting, under every rule (FACTS F2, F3)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.sequences import Sequences
from engine.errors import RunError
from engine.evaluation.ranking import SeenRule, TieRule, full_ranks

ITEMS = 7


def naive_rank(
    scores: list[float], target: int, seen: list[int], rule: SeenRule, ties: TieRule, special: bool
) -> float:
    scores = list(scores)
    for item in seen:
        if rule != "keep":
            scores[item] = -math.inf if rule == "exclude" else 0.0
    candidates = list(range(ITEMS + 2)) if special else list(range(1, ITEMS + 1))
    if scores[target] == -math.inf:
        return math.inf
    above = [item for item in candidates if scores[item] > scores[target]]
    equal = [item for item in candidates if scores[item] == scores[target] and item != target]
    first = len(above)
    return {
        "optimistic": first,
        "pessimistic": first + len(equal),
        "mean": first + len(equal) / 2,
        "id": first + sum(item < target for item in equal),
    }[ties]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_ranks_equal_those_of_sorting(data: st.DataObject) -> None:
    users = data.draw(st.integers(1, 6))
    # Few distinct scores, zero among them, so that ties are everywhere.
    scores = data.draw(
        st.lists(st.lists(st.integers(-2, 2), min_size=ITEMS + 2, max_size=ITEMS + 2), min_size=users, max_size=users)
    )
    seen = data.draw(st.lists(st.lists(st.integers(1, ITEMS), max_size=9), min_size=users, max_size=users))
    targets = data.draw(st.lists(st.integers(1, ITEMS), min_size=users, max_size=users))
    rule = data.draw(st.sampled_from(["exclude", "zero", "keep"]))
    ties = data.draw(st.sampled_from(["optimistic", "pessimistic", "mean", "id"]))
    special = data.draw(st.booleans())
    table = torch.tensor(scores, dtype=torch.float32)
    found = full_ranks(
        lambda rows: table[torch.from_numpy(rows)].split(2),
        Sequences.from_lists(seen),
        np.array(targets),
        seen_items=rule,
        ties=ties,
        rank_special_tokens=special,
        batch_size=data.draw(st.integers(1, 7)),
    )
    expected = [naive_rank(*row, rule, ties, special) for row in zip(scores, targets, seen, strict=True)]
    assert found.dtype == np.float64
    assert found.tolist() == expected


def test_a_target_in_its_own_history_is_a_certain_miss_or_ties_with_all_seen_items() -> None:
    scores = torch.tensor([[9.0, 1.0, 3.0, -1.0, 2.0, -2.0, -3.0, -4.0, 9.0]])
    history = Sequences.from_lists([[2, 3, 4]])

    def rank(rule: SeenRule, ties: TieRule = "mean") -> float:
        ranks = full_ranks(lambda _: [scores.clone()], history, np.array([3]), seen_items=rule, ties=ties)
        return float(ranks[0])

    assert rank("exclude") == math.inf
    assert rank("zero", "optimistic") == 1  # item 1 alone is above 0
    assert rank("zero", "pessimistic") == 3  # items 2 and 4 tie with it
    assert rank("zero", "mean") == 2
    assert rank("keep") == 3


def test_scores_that_are_not_numbers_never_look_good() -> None:
    history = Sequences.from_lists([[]])
    some = torch.tensor([[0.0, math.nan, 5.0, 1.0, math.nan, 0.0, 0.0, 0.0, 0.0]])
    assert full_ranks(lambda _: [some.clone()], history, np.array([2])).tolist() == [2.0]
    with pytest.raises(RunError, match="not numbers"):
        full_ranks(lambda _: [some.clone()], history, np.array([4]))


def test_a_ranking_that_is_stopped_leaves_the_rest_unknown() -> None:
    scores, asked = torch.zeros(4, ITEMS + 2), []

    def stop_after_one() -> bool:
        asked.append(True)
        return len(asked) > 1

    ranks = full_ranks(
        lambda rows: [scores[torch.from_numpy(rows)].clone()],
        Sequences.from_lists([[], [], [], []]),
        np.array([1, 2, 3, 4]),
        ties="optimistic",
        batch_size=2,
        should_stop=stop_after_one,
    )
    assert ranks[:2].tolist() == [0, 0]
    assert np.isnan(ranks[2:]).all()
