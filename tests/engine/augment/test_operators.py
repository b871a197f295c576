"""Every operator against its naive reference: structure on any batch, distribution over all possible views."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.augment.plan import concatenate
from engine.config import FidelityOptions
from tests.engine.augment.helpers import assert_distributed, offsets_of, operator, seeded, views_of
from tests.engine.augment.reference import CHECKS, OUTCOMES, Case

NAMES = sorted(OUTCOMES)
PAPER = FidelityOptions()
PUBLISHED = FidelityOptions(counts="floor", start_positions="never_last")
FIDELITIES = [
    FidelityOptions(counts=counts, start_positions=starts, insert_side=side)
    for counts, starts, side in product(("ceiling", "floor"), ("every", "never_last"), ("before", "after"))
]
LENGTHS = st.lists(st.one_of(st.integers(1, 30), st.sampled_from([1, 2, 50, 300])), min_size=1, max_size=8)
RATES = st.one_of(st.sampled_from([0.0, 0.2, 0.7, 1.0]), st.integers(0, 1000).map(lambda value: value / 1000))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, rate=RATES, fidelity=st.sampled_from(FIDELITIES), seed=st.integers(0, 2**31))
def test_every_view_is_possible(
    name: str, lengths: list[int], rate: float, fidelity: FidelityOptions, seed: int
) -> None:
    offsets = offsets_of(lengths)
    plan = operator(name, rate, fidelity).plan(offsets, seeded(seed))
    assert plan.sources.numel() == plan.kinds.numel() == int(plan.offsets[-1])
    for view, n in zip(views_of(plan, offsets[:-1]), lengths, strict=True):
        CHECKS[name](view, Case(n, rate, fidelity))


@pytest.mark.parametrize("fidelity", [PAPER, PUBLISHED], ids=["paper", "published"])
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_lengths_and_ratios_at_the_edges(name: str, rate: float, fidelity: FidelityOptions) -> None:
    lengths = [1, 2, 50, 300, 1]
    offsets = offsets_of(lengths)
    plan = operator(name, rate, fidelity).plan(offsets, seeded(5))
    for view, n in zip(views_of(plan, offsets[:-1]), lengths, strict=True):
        CHECKS[name](view, Case(n, rate, fidelity))
        assert view, "a view is never empty"


@pytest.mark.parametrize(
    "fidelity", [PAPER, PUBLISHED, *FIDELITIES[2:5:2]], ids=["paper", "published", "never last alone", "floors alone"]
)
@pytest.mark.parametrize(("n", "rate"), [(1, 0.2), (2, 0.5), (4, 0.2), (5, 0.5), (6, 0.35), (4, 0.0), (4, 1.0)])
@pytest.mark.parametrize("name", NAMES)
def test_views_are_distributed_as_in_the_reference(name: str, n: int, rate: float, fidelity: FidelityOptions) -> None:
    """Start positions, chosen indices and shuffles at once: the whole view's distribution, by chi-square."""
    expected = OUTCOMES[name](Case(n, rate, fidelity))
    size = 40 * len(expected) + 1_000
    offsets = offsets_of([n] * size)
    plan = operator(name, rate, fidelity).plan(offsets, seeded(1_000 * n + NAMES.index(name)))
    assert_distributed(views_of(plan, offsets[:-1]), expected)


@pytest.mark.parametrize(("fidelity", "starts"), [(PAPER, 41), (PUBLISHED, 40)], ids=["every start", "never the last"])
@pytest.mark.parametrize("name", ["crop", "reorder"])
def test_start_positions_of_long_sequences(name: str, fidelity: FidelityOptions, starts: int) -> None:
    offsets = offsets_of([50] * 8_000)
    plan = operator(name, 0.2, fidelity).plan(offsets, seeded(7))
    if plan.reordered is None:
        seen = [view[0][0] for view in views_of(plan, offsets[:-1])]
    else:
        seen = plan.reordered[:, 0].tolist()
        assert (plan.reordered[:, 1] - plan.reordered[:, 0] == 10).all()
    assert_distributed(seen, dict.fromkeys(range(starts), 1 / starts))


def test_published_crop_of_less_than_one_item_starts_anywhere() -> None:
    """FACTS F11: at 0.2 and n = 4 the floored length is 0, one item stays, and the start runs over 0 … 3."""
    offsets = offsets_of([4] * 4_000)
    plan = operator("crop", 0.2, PUBLISHED).plan(offsets, seeded(8))
    assert_distributed([view[0][0] for view in views_of(plan, offsets[:-1])], dict.fromkeys(range(4), 0.25))


def test_published_floors_touch_at_least_one_item_or_none() -> None:
    """FACTS F9 on two items at ratio 0.2."""
    kinds = {name: operator(name, 0.2, PUBLISHED).plan(offsets_of([2]), seeded(1)).kinds.tolist() for name in NAMES}
    changed = {name: sum(kind > 0 for kind in found) for name, found in kinds.items()}
    assert changed == {"crop": 0, "insert": 1, "mask": 0, "reorder": 0, "substitute": 1}
    assert len(kinds["crop"]) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_decides(name: str) -> None:
    offsets = offsets_of([30, 7, 50])
    made = operator(name, 0.5)
    one, same, other = (made.plan(offsets, seeded(seed)) for seed in (1, 1, 2))
    assert views_of(one, offsets[:-1]) == views_of(same, offsets[:-1])
    assert views_of(one, offsets[:-1]) != views_of(other, offsets[:-1])


@pytest.mark.parametrize("name", NAMES)
def test_the_place_in_the_batch_does_not_matter(name: str) -> None:
    """The views of a sequence have one distribution, whether it stands first, last or between long ones."""
    n, rate = 4, 0.5
    expected = OUTCOMES[name](Case(n, rate, PAPER))
    rows = []
    for lengths, place in (([n, 60, 9], 0), ([60, n, 9], 1), ([9, 60, n], 2)):
        repeats = 80 * len(expected)
        offsets = offsets_of(lengths * repeats)
        plan = operator(name, rate).plan(offsets, seeded(place + 20))
        seen = views_of(plan, offsets[:-1])[place::3]
        assert_distributed(seen, expected)
        rows.append([seen.count(outcome) for outcome in expected])
    assert stats.chi2_contingency(rows).pvalue > 1e-4


def test_sequences_of_a_batch_are_independent() -> None:
    """Neighbouring sequences of one batch choose independently of each other."""
    offsets = offsets_of([4] * 8_000)
    plan = operator("crop", 0.25).plan(offsets, seeded(4))
    pairs = torch.tensor([view[0][0] for view in views_of(plan, offsets[:-1])]).reshape(-1, 2)
    counts = torch.bincount(pairs[:, 0] * 4 + pairs[:, 1], minlength=16).reshape(4, 4)
    assert stats.chi2_contingency(counts.numpy()).pvalue > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_sequence_stays_empty(name: str) -> None:
    offsets = offsets_of([0, 3, 0])
    plan = operator(name, 0.5).plan(offsets, seeded(1))
    assert plan.lengths[[0, 2]].tolist() == [0, 0]
    CHECKS[name](views_of(plan, offsets[:-1])[1], Case(3, 0.5, PAPER))


def test_plans_can_be_joined_and_taken_apart() -> None:
    """Concatenation keeps every plan; ``take`` reorders and cuts to the last tokens."""
    offsets = offsets_of([5, 3, 8])
    plans = [operator(name, 0.5).plan(offsets, seeded(3)) for name in NAMES]
    starts = offsets[:-1]
    joined = concatenate(plans)
    alone = [view for plan in plans for view in views_of(plan, starts)]
    assert views_of(joined, starts.repeat(5)) == alone
    rows = torch.tensor([7, 0, 14, 7])
    taken = joined.take(rows, longest=4)
    assert views_of(taken, starts.repeat(5)[rows]) == [alone[row][-4:] for row in rows.tolist()]


def test_the_reordered_range_moves_with_the_cut() -> None:
    plan = operator("reorder", 0.5).plan(offsets_of([8]), seeded(3))
    assert plan.reordered is not None
    start, stop = plan.reordered[0].tolist()
    cut = plan.take(torch.tensor([0]), longest=8 - start - 1)
    assert cut.reordered is not None
    assert cut.reordered.tolist() == [[0, stop - start - 1]]
