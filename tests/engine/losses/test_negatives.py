"""Negatives: never an excluded item, uniform over all others (FACTS F7)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.data.sequences import Sequences
from engine.errors import DataError
from engine.losses.negatives import NegativeSampler


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), max_size=12), min_size=1, max_size=5),
    st.booleans(),
    st.integers(0, 2**31 - 1),
)
def test_a_negative_is_allowed_and_every_allowed_item_comes(rows: list[list[int]], mask: bool, seed: int) -> None:
    sampler = NegativeSampler(Sequences.from_lists(rows), 10, draw_mask=mask)
    generator = torch.Generator().manual_seed(seed)
    for user, own in enumerate(rows):
        drawn = sampler(torch.full((600,), user), generator)
        assert set(drawn.tolist()) == set(range(1, 11 + mask)) - set(own)


@pytest.mark.parametrize("draw_mask", [False, True])
def test_negatives_are_uniform(draw_mask: bool) -> None:
    rows = [[], [1, 2, 3], [10, 10, 4], [5], [2, 9, 1, 10, 4]]
    sampler = NegativeSampler(Sequences.from_lists(rows), 10, draw_mask=draw_mask)
    users = torch.arange(5).repeat(20_000)
    drawn = sampler(users, torch.Generator().manual_seed(4))
    for user, own in enumerate(rows):
        counts = torch.bincount(drawn[users == user], minlength=12)
        allowed = [item for item in range(1, 11 + draw_mask) if item not in own]
        assert int(counts.sum()) == int(counts[allowed].sum()) == 20_000
        assert stats.chisquare(counts[allowed].numpy()).pvalue > 1e-4, user


def test_a_user_with_every_item_is_refused_by_number() -> None:
    with pytest.raises(DataError, match="user number 2 has all 3 items"):
        NegativeSampler(Sequences.from_lists([[1], [3, 1, 2]]), 3)
    assert NegativeSampler(Sequences.from_lists([[1], [3, 1, 2]]), 3, draw_mask=True)(torch.tensor([1])).tolist() == [4]
