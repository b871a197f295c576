"""Eq. 12: who gets which operators, and how often."""

from __future__ import annotations

import itertools

import pytest
import torch
from scipy import stats

from engine.augment.policy import Policy
from tests.engine.augment.helpers import assert_distributed, config, seeded


def letters(policy: Policy, slots: torch.Tensor) -> list[str]:
    return [policy.slots[slot].letter for slot in slots.tolist()]


@pytest.mark.parametrize("length", [1, 4, 5, 300])
def test_operators_are_uniform_in_the_set_of_the_length(length: int) -> None:
    policy = Policy(config(augment__short_length=4, augment__short_operators="SIM", augment__long_operators="SIMCR"))
    drawn = policy.draw(torch.full((5_000,), length), seeded(length))
    expected = "SIM" if length <= 4 else "SIMCR"
    for view in drawn:
        assert_distributed(letters(policy, view), {letter: 1 / len(expected) for letter in expected})


def test_a_mixed_batch_gives_every_user_its_own_set() -> None:
    policy = Policy(config(augment__short_length=10, augment__short_operators="CR", augment__long_operators="M"))
    lengths = torch.tensor([3, 11, 10, 50])
    drawn = policy.draw(lengths.repeat(200), seeded(1)).reshape(2, 200, 4)
    assert {letter for user in (0, 2) for letter in letters(policy, drawn[:, :, user].flatten())} == {"C", "R"}
    assert {letter for user in (1, 3) for letter in letters(policy, drawn[:, :, user].flatten())} == {"M"}


def test_independent_pairs_are_independent_and_may_be_equal() -> None:
    policy = Policy(config(fidelity__operator_pairs="independent"))
    pairs = policy.draw(torch.full((9_000,), 50), seeded(2))
    seen = list(zip(letters(policy, pairs[0]), letters(policy, pairs[1]), strict=True))
    assert_distributed(seen, dict.fromkeys(itertools.product("SIMCR", repeat=2), 1 / 25))
    table = [[seen.count((one, two)) for two in "SIMCR"] for one in "SIMCR"]
    assert stats.chi2_contingency(table).pvalue > 1e-4


@pytest.mark.parametrize(("length", "known"), [(3, "SIM"), (50, "SIMCR")])
def test_distinct_pairs_are_uniform_over_ordered_pairs(length: int, known: str) -> None:
    policy = Policy(config(fidelity__operator_pairs="distinct"))
    pairs = policy.draw(torch.full((6_000,), length), seeded(3))
    seen = zip(letters(policy, pairs[0]), letters(policy, pairs[1]), strict=True)
    expected = list(itertools.permutations(known, 2))
    assert_distributed(seen, {pair: 1 / len(expected) for pair in expected})


def test_a_set_of_one_operator_has_no_distinct_pair() -> None:
    policy = Policy(config(fidelity__operator_pairs="distinct", augment__long_operators="C"))
    assert set(letters(policy, policy.draw(torch.full((9,), 50), seeded(1)).flatten())) == {"C"}


SETS = ["".join(chosen) for size in range(1, 6) for chosen in itertools.combinations("SIMCR", size) if "R" in chosen]


@pytest.mark.parametrize("short", [*SETS, "RIS"])
def test_reorder_gets_the_mask_ratio_in_three_short_sets_only(short: str) -> None:
    """FACTS F12, for short sequences and under its switch only."""
    values = {"augment__short_operators": short, "augment__mask_rate": 0.7, "augment__reorder_rate": 0.2}
    published = Policy(config(fidelity__short_reorder_rate="mask_rate", **values))
    is_special = frozenset(short) in {frozenset("SIR"), frozenset("SIMR"), frozenset("SIRC")}
    assert published.slots[published.slot_named("reorder", 1)].operator.rate == (0.7 if is_special else 0.2)
    assert published.slots[published.slot_named("reorder", 300)].operator.rate == 0.2
    drawn = published.draw(torch.full((400,), 1), seeded(1)).flatten()
    rates = {published.slots[i].operator.rate for i in drawn.tolist() if published.slots[i].letter == "R"}
    assert rates == {0.7 if is_special else 0.2}

    paper = Policy(config(fidelity__short_reorder_rate="reorder_rate", **values))
    assert paper.slots[paper.slot_named("reorder", 1)].operator.rate == 0.2
    assert len(paper.slots) == 5


def test_an_operator_in_no_set_can_be_asked_for_by_name() -> None:
    policy = Policy(config(augment__short_operators="M", augment__long_operators="M"))
    assert policy.slots[policy.slot_named("crop", 3)].letter == "C"
    with pytest.raises(KeyError):
        policy.slot_named("shout", 3)
