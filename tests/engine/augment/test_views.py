"""A whole batch: merging, building, the neighbour rules and the cut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.augment.plan import Plan
from engine.augment.views import AugmentedBatch, Augmenter, Known
from engine.records import TokenKind
from tests.engine.augment.helpers import Table, assert_distributed, config, offsets_of, seeded, table, views_of
from tests.engine.augment.reference import CHECKS, Case, View

ITEMS = 40
LENGTHS = st.lists(st.one_of(st.integers(1, 20), st.sampled_from([1, 2, 50, 300])), min_size=1, max_size=8)
SWITCHES: dict[str, list[Any]] = {
    "fidelity__counts": ["ceiling", "floor"],
    "fidelity__mask_token": ["mask", "padding"],
    "fidelity__start_positions": ["every", "never_last"],
    "fidelity__operator_pairs": ["independent", "distinct"],
    "fidelity__augment_input": ["untruncated", "truncated"],
    "fidelity__short_reorder_rate": ["reorder_rate", "mask_rate"],
    "fidelity__long_reorder_rate": ["reorder_rate", "mask_rate"],
    "fidelity__insert_side": ["before", "after"],
    "fidelity__missing_neighbour": ["keep", "random"],
    "augment__short_operators": ["SIM", "SIRC", "SIMCR"],
    "augment__insert_rate": [0.0, 0.4, 1.0],
    "augment__substitute_rate": [0.0, 0.1, 1.0],
    "model__max_length": [1, 5, 50],
}
VALUES = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in SWITCHES.items()})


def batch_of(lengths: list[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    offsets = offsets_of(lengths)
    return torch.randint(1, ITEMS + 1, (int(offsets[-1]),), generator=seeded(seed)), offsets


def read(batch: AugmentedBatch, starts: torch.Tensor) -> list[View]:
    return views_of(Plan(batch.offsets, batch.sources, batch.kinds), starts)


def neighbours_of(item: int, known: Table) -> set[int]:
    return set(known.ids[item].tolist()) - {0}


@settings(max_examples=80, deadline=None)
@given(
    LENGTHS, VALUES, st.sampled_from([1, 3]), st.sampled_from([(), (1, 2, 3), tuple(range(1, 41))]), st.integers(0, 99)
)
def test_every_view_is_its_operators_work(
    lengths: list[int], values: dict[str, Any], k: int, without: tuple[int, ...], seed: int
) -> None:
    """Token by token: the view is the tail of a possible view of its operator, and every item follows from it."""
    chosen = config(**values)
    augmenter = Augmenter(chosen, ITEMS)
    known = table(ITEMS, k, without)
    items, offsets = batch_of(lengths, seed)
    batch = augmenter.views(items, offsets, known, seeded(seed))
    longest, users = values["model__max_length"], len(lengths)
    assert len(batch.ragged) == 2 * users
    assert (batch.ragged.lengths >= 1).all()
    assert (batch.ragged.lengths <= longest).all()
    is_kept = values["fidelity__missing_neighbour"] == "keep" or not known.pool.numel()
    scores = dict(zip(batch.changed.tolist(), batch.scores.tolist(), strict=True))
    for place, (source, kind, out) in enumerate(
        zip(batch.sources.tolist(), batch.kinds.tolist(), batch.items.tolist(), strict=True)
    ):
        original = int(items[source])
        if kind == TokenKind.KEPT:
            assert out == original
        elif kind == TokenKind.MASKED:
            assert out == (ITEMS + 1 if values["fidelity__mask_token"] == "mask" else 0)
        elif found := neighbours_of(original, known):
            assert out in found
            assert scores[place] == pytest.approx(original + out / 1000, abs=1e-3)
        else:
            assert not is_kept
            assert out in known.pool.tolist()
            assert scores[place] == 0
    assert sorted(scores) == torch.nonzero(batch.kinds >= 2).squeeze(1).tolist()

    if is_kept and len(known.pool) < ITEMS:
        return  # which tokens stayed is tested below; the structure is then no longer the reference's
    for view, n, slot in zip(read(batch, offsets[:-1].repeat(2)), lengths * 2, batch.operators.tolist(), strict=True):
        check_tail(view, augmenter, slot, n)


def check_tail(view: View, augmenter: Augmenter, slot: int, n: int) -> None:
    """The view as a tail: what the cut left must lie inside the input, and an uncut view must be possible."""
    seen = min(n, augmenter.max_length) if augmenter.sees_tail else n
    operator, name = augmenter.slots[slot].operator, augmenter.slots[slot].entry.name
    shifted = tuple((source - (n - seen), kind) for source, kind in view)
    assert all(0 <= source < seen for source, _ in shifted)
    if len(view) < augmenter.max_length:
        CHECKS[name](shifted, Case(seen, operator.rate, operator.fidelity))


@settings(max_examples=40, deadline=None)
@given(LENGTHS, st.integers(0, 2**31), st.sampled_from(["untruncated", "truncated"]))
def test_the_merged_plan_is_the_individual_plans(lengths: list[int], seed: int, augment_input: str) -> None:
    augmenter = Augmenter(config(fidelity__augment_input=augment_input), ITEMS)
    offsets = offsets_of(lengths)
    users = torch.arange(len(lengths)).repeat(2)
    slots = augmenter.policy.draw(torch.tensor(lengths), seeded(seed)).flatten()
    merged = views_of(augmenter.plan(slots, users, offsets, seeded(seed)), offsets[:-1].repeat(2))

    generator = seeded(seed)
    for index, slot in enumerate(augmenter.slots):
        views = [view for view, owner in enumerate(slots.tolist()) if owner == index]
        if not views:
            continue
        whole = [lengths[users[view]] for view in views]
        seen = [min(n, 50) for n in whole] if augment_input == "truncated" else whole
        own = offsets_of(seen)
        alone = views_of(slot.operator.plan(own, generator), own[:-1])
        for view, expected, n, short in zip(views, alone, whole, seen, strict=True):
            assert merged[view] == tuple((source + n - short, kind) for source, kind in expected)


def test_every_view_keeps_its_last_items() -> None:
    """The cut comes after the operator: the same draw under a long and a short limit ends alike."""
    items, offsets = batch_of([300, 50, 2, 60])
    known = table(ITEMS)
    long, short = (
        Augmenter(config(model__max_length=longest), ITEMS).views(items, offsets, known, seeded(4))
        for longest in (1_000, 50)
    )
    starts = offsets[:-1].repeat(2)
    assert read(short, starts) == [view[-50:] for view in read(long, starts)]
    assert max(long.ragged.lengths.tolist()) > 50


def test_k_is_compared_with_the_untruncated_length() -> None:
    """FACTS F4: with K = 20 and five items shown, a user of 21 items is long."""
    values = {"augment__short_length": 20, "augment__short_operators": "M", "augment__long_operators": "C"}
    chosen = config(**values, model__max_length=5, fidelity__augment_input="truncated")
    augmenter = Augmenter(chosen, ITEMS)
    items, offsets = batch_of([20, 21] * 10)
    batch = augmenter.views(items, offsets, table(ITEMS), seeded(1))
    assert [augmenter.slots[slot].letter for slot in batch.operators.tolist()] == ["M", "C"] * 20


def only(letter: str, **values: Any) -> Augmenter:
    sets = {"augment__short_operators": letter, "augment__long_operators": letter}
    return Augmenter(config(**(sets | values)), ITEMS)


def test_an_item_without_neighbours_is_kept() -> None:
    known = table(ITEMS, without=[7])
    items, offsets = torch.tensor([7, 8, 7]), torch.tensor([0, 3])
    inserted = only("I", augment__insert_rate=1.0).views(items, offsets, known, seeded(1))
    neighbour = int(known.ids[8, 0])
    assert inserted.items.tolist() == [7, neighbour, 8, 7] * 2
    assert inserted.kinds.tolist() == [0, 3, 0, 0] * 2
    assert inserted.offsets.tolist() == [0, 4, 8]
    assert inserted.unmatched.tolist() == [2, 2]
    substituted = only("S", augment__substitute_rate=1.0).views(items, offsets, known, seeded(1))
    assert substituted.items.tolist() == [7, neighbour, 7] * 2
    assert substituted.kinds.tolist() == [0, 2, 0] * 2
    assert substituted.unmatched.tolist() == [2, 2]


@pytest.mark.parametrize("letter", ["S", "I"])
def test_an_item_without_neighbours_gets_a_random_one_of_the_pool(letter: str) -> None:
    """FACTS F15: uniform over the items that have neighbours, drawn anew for every token, with score 0."""
    known = table(ITEMS, without=range(6, ITEMS + 1))
    items, offsets = torch.full((4_000,), 30), torch.tensor([0, 4_000])
    values = {"augment__substitute_rate": 1.0, "augment__insert_rate": 1.0, "model__max_length": 10_000}
    batch = only(letter, fidelity__missing_neighbour="random", **values).views(items, offsets, known, seeded(1))
    assert batch.scores.abs().sum() == 0
    assert_distributed(batch.items[batch.changed].tolist(), dict.fromkeys(range(1, 6), 0.2))


def test_with_an_empty_pool_everything_is_kept() -> None:
    known = table(ITEMS, without=range(ITEMS + 2))
    items, offsets = batch_of([5, 9])
    for letter in "SI":
        batch = only(letter, fidelity__missing_neighbour="random").views(items, offsets, known, seeded(1))
        assert batch.items.tolist() == items.tolist() * 2
        assert not batch.kinds.any()


def test_neighbours_are_drawn_uniformly_among_those_there_are() -> None:
    ids = torch.zeros(ITEMS + 2, 4, dtype=torch.int64)
    ids[1] = torch.tensor([11, 12, 13, 14])
    ids[2] = torch.tensor([21, 22, 23, 0])
    known = Table(ids, torch.where(ids > 0, 0.5, 0.0), torch.tensor([1, 2]))
    items, offsets = torch.tensor([1, 2]).repeat(5_000), torch.tensor([0, 10_000])
    augmenter = only("S", augment__substitute_rate=1.0, model__max_length=10_000, fidelity__missing_neighbour="random")
    batch = augmenter.views(items, offsets, known, seeded(2))
    drawn = batch.items.reshape(2, -1, 2)
    assert_distributed(drawn[:, :, 0].flatten().tolist(), dict.fromkeys((11, 12, 13, 14), 1 / 4))
    assert_distributed(drawn[:, :, 1].flatten().tolist(), dict.fromkeys((21, 22, 23), 1 / 3))


def test_the_generator_decides_everything() -> None:
    items, offsets = batch_of([30, 4, 300])
    augmenter, known = Augmenter(config(), ITEMS), table(ITEMS, 3)
    state = torch.get_rng_state()
    one, same, other = (augmenter.views(items, offsets, known, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.items, same.items)
    assert torch.equal(one.offsets, same.offsets)
    assert one.items.tolist() != other.items.tolist()
    assert torch.equal(state, torch.get_rng_state()), "the global generator is left alone"


def test_inputs_stay_as_they_were() -> None:
    items, offsets = batch_of([30, 4, 300])
    known = table(ITEMS)
    before = (items.clone(), offsets.clone(), known.ids.clone())
    Augmenter(config(), ITEMS).views(items, offsets, known, seeded(1))
    assert all(torch.equal(old, new) for old, new in zip(before, (items, offsets, known.ids), strict=True))


def test_items_of_32_bits_are_taken() -> None:
    items, offsets = batch_of([30, 4])
    augmenter, known = Augmenter(config(), ITEMS), table(ITEMS)
    narrow = augmenter.views(items.to(torch.int32), offsets, known, seeded(1))
    assert torch.equal(narrow.items, augmenter.views(items, offsets, known, seeded(1)).items)
    assert narrow.items.dtype == torch.int64


def test_a_generator_elsewhere_is_refused() -> None:
    items, offsets = batch_of([3])
    elsewhere: Any = SimpleNamespace(device=torch.device("cuda"))
    augmenter = Augmenter(config(), ITEMS)
    with pytest.raises(ValueError, match="planned on the host"):
        augmenter.views(items, offsets, table(ITEMS), elsewhere)
    with pytest.raises(ValueError, match="planned on the host"):
        augmenter.apply(torch.tensor([0]), torch.tensor([0]), items, offsets, table(ITEMS), elsewhere)


@pytest.mark.parametrize("without", [(), (1, 2)])
@pytest.mark.parametrize("missing", ["random", "keep"])
def test_nothing_waits_for_the_device(without: tuple[int, ...], missing: str) -> None:
    """On torch's ``meta`` device tensors have shapes but no values: whatever asks for one raises."""
    items, offsets = batch_of([30, 4, 300, 1])
    known = table(ITEMS, 3, without)
    far = Table(known.ids.to("meta"), known.scores.to("meta"), known.pool.to("meta"))
    chosen = config(fidelity__missing_neighbour=missing)
    on_host = Known(items, known.ids[:, 0]) if missing == "keep" else None
    there = Augmenter(chosen, ITEMS, "meta").views(items.to("meta"), offsets, far, seeded(1), on_host)
    here = Augmenter(chosen, ITEMS).views(items, offsets, known, seeded(1))
    assert there.items.device.type == "meta"
    assert there.items.shape == here.items.shape
    assert torch.equal(there.offsets, here.offsets)
    assert torch.equal(there.sources, here.sources)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_device_gives_the_same_views() -> None:
    items, offsets = batch_of([30, 4, 300, 1])
    known = table(ITEMS, 3, without=[1, 2])
    there = Table(known.ids.cuda(), known.scores.cuda(), known.pool.cuda())
    for missing in ("keep", "random"):
        chosen = config(fidelity__missing_neighbour=missing)
        here = Augmenter(chosen, ITEMS).views(items, offsets, known, seeded(1))
        far = Augmenter(chosen, ITEMS, "cuda").views(items.cuda(), offsets, there, seeded(1))
        assert torch.equal(here.items, far.items.cpu())
        assert torch.equal(here.offsets, far.offsets)
