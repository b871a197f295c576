"""Eq. 12: who gets which operators, and how often."""

from __future__ import annotations

import itertools

import pytest
import torch
from scipy import stats

from engine import registry
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


@pytest.mark.parametrize("short", ["SIR", "SIMR", "SIRC", "SIMCR", "RIS", "R"])
@pytest.mark.parametrize("short_rate", ["reorder_rate", "mask_rate"])
@pytest.mark.parametrize("long_rate", ["reorder_rate", "mask_rate"])
def test_reorder_has_the_ratio_that_its_branch_gives_it(short: str, short_rate: str, long_rate: str) -> None:
    """FACTS F12, as the authors' code has it: the mask's ratio in every short set, and in the long one."""
    rates = {"reorder_rate": 0.2, "mask_rate": 0.7}
    policy = Policy(
        config(
            augment__short_operators=short,
            fidelity__short_reorder_rate=short_rate,
            fidelity__long_reorder_rate=long_rate,
            **{f"augment__{name}": rate for name, rate in rates.items()},
        )
    )
    for length, expected in ((1, rates[short_rate]), (300, rates[long_rate])):
        assert policy.slots[policy.slot_named("reorder", length)].operator.rate == expected
        drawn = policy.draw(torch.full((400,), length), seeded(1)).flatten()
        seen = {policy.slots[i].operator.rate for i in drawn.tolist() if policy.slots[i].letter == "R"}
        assert seen == {expected}
    slots = len(registry.entries("operator"))
    assert len(policy.slots) == (slots if short_rate == long_rate == "reorder_rate" else slots + 1)


def test_an_operator_in_no_set_can_be_asked_for_by_name() -> None:
    policy = Policy(config(augment__short_operators="M", augment__long_operators="M"))
    assert policy.slots[policy.slot_named("crop", 3)].letter == "C"
    with pytest.raises(KeyError):
        policy.slot_named("shout", 3)
