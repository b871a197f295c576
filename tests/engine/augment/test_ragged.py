"""Segmented helpers against loops over segments."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise, permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.augment import ragged
from engine.augment.ragged import Ragged
from tests.engine.augment.helpers import assert_distributed, offsets_of, seeded

LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=12)


@given(LENGTHS)
def test_segment_ids_and_positions(lengths: list[int]) -> None:
    offsets = offsets_of(lengths)
    assert ragged.offsets_of(torch.tensor(lengths)).tolist() == offsets.tolist()
    assert ragged.lengths_of(offsets).tolist() == lengths
    assert ragged.segment_ids(offsets).tolist() == [i for i, n in enumerate(lengths) for _ in range(n)]
    assert ragged.within(offsets).tolist() == [p for n in lengths for p in range(n)]


@given(LENGTHS, st.data())
def test_ranges(lengths: list[int], data: st.DataObject) -> None:
    starts = data.draw(st.lists(st.integers(0, 50), min_size=len(lengths), max_size=len(lengths)))
    positions, offsets = ragged.ranges(torch.tensor(starts), torch.tensor(lengths))
    assert positions.tolist() == [s + p for s, n in zip(starts, lengths, strict=True) for p in range(n)]
    assert offsets.tolist() == offsets_of(lengths).tolist()


@given(LENGTHS, st.integers(0, 2**31))
def test_shuffle_permutes_within_segments(lengths: list[int], seed: int) -> None:
    offsets = offsets_of(lengths)
    order = ragged.shuffle(offsets, seeded(seed)).tolist()
    for first, last in zip(offsets.tolist(), offsets.tolist()[1:], strict=False):
        assert sorted(order[first:last]) == list(range(first, last))


def test_shuffle_is_uniform() -> None:
    order = ragged.shuffle(offsets_of([4] * 12_000), seeded(1)).reshape(-1, 4)
    seen = (order - 4 * torch.arange(12_000).unsqueeze(1)).tolist()
    assert_distributed(map(tuple, seen), dict.fromkeys(permutations(range(4)), 1 / 24))


@given(LENGTHS, st.data(), st.integers(0, 2**31))
def test_choose_takes_exactly_the_count(lengths: list[int], data: st.DataObject, seed: int) -> None:
    counts = [data.draw(st.integers(0, n)) for n in lengths]
    offsets = offsets_of(lengths)
    chosen = ragged.choose(offsets, torch.tensor(counts), seeded(seed))
    bounds = offsets.tolist()
    assert [int(chosen[a:b].sum()) for a, b in pairwise(bounds)] == counts


def test_choose_is_uniform_over_subsets() -> None:
    chosen = ragged.choose(offsets_of([5] * 10_000), torch.full((10_000,), 2), seeded(2)).reshape(-1, 5)
    seen = [tuple(row.nonzero().squeeze(1).tolist()) for row in chosen]
    assert_distributed(seen, dict.fromkeys(combinations(range(5), 2), 1 / 10))


@pytest.mark.parametrize("bound", [1, 2, 7])
def test_uniform_below(bound: int) -> None:
    draws = ragged.uniform_below(torch.full((9_000,), bound), seeded(3)).tolist()
    assert_distributed(draws, dict.fromkeys(range(bound), 1 / bound))


def test_counts_are_exact() -> None:
    lengths = torch.arange(0, 401)
    for rate in [percent / 100 for percent in range(101)]:
        exact = Fraction(str(rate))
        ceilings = [math.ceil(exact * n) for n in range(401)]
        assert ragged.ceiling(rate, lengths).tolist() == ceilings
        assert ragged.floor(rate, lengths).tolist() == [int(rate * n) for n in range(401)]
        assert [ragged.ceiling_of(rate, n) for n in range(401)] == ceilings


def test_float_dust_does_not_count() -> None:
    assert math.ceil(0.07 * 100) == 8  # 7.000000000000001
    assert ragged.ceiling(0.07, torch.tensor([100])).tolist() == [7]


@given(LENGTHS, st.integers(1, 6))
def test_tail(lengths: list[int], longest: int) -> None:
    offsets = offsets_of(lengths)
    items = torch.arange(int(offsets[-1])) + 1
    cut = Ragged(items, offsets).tail(longest)
    rows = [items[a:b].tolist()[-longest:] for a, b in zip(offsets.tolist(), offsets.tolist()[1:], strict=False)]
    assert cut.items.tolist() == [item for row in rows for item in row]
    assert cut.lengths.tolist() == [len(row) for row in rows]
    assert len(cut) == len(rows)
