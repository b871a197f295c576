"""The preview is the training code: same draws, same arrays, and a reason where nothing happens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.augment.preview import ViewArrays, preview
from engine.augment.views import Augmenter
from engine.errors import UsageError
from engine.records import TokenKind
from engine.registry import entries
from tests.engine.augment.helpers import config, seeded, table

ITEMS = 40
PUBLISHED = {"fidelity__counts": "floor", "fidelity__start_positions": "never_last"}


def sequence(n: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.random.default_rng(n).integers(1, ITEMS + 1, n).astype(np.int32)


def one(operator: str, n: int, *, without: Any = (), seed: Any = 1, **values: Any) -> ViewArrays:
    return preview(config(**values), sequence(n), ITEMS, table(ITEMS, 1, without), operator, seed, 1).views[0]


@pytest.mark.parametrize("n", [1, 4, 5, 50, 300])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_policys_preview_is_a_batch_of_one_user(n: int, seed: int) -> None:
    known = table(ITEMS, 3)
    shown = preview(config(), sequence(n), ITEMS, known, seed=seed)
    augmenter = Augmenter(config(), ITEMS)
    batch = augmenter.views(torch.from_numpy(sequence(n)), torch.tensor([0, n]), known, seeded(seed))
    assert np.concatenate([view.items for view in shown.views]).tolist() == batch.items.tolist()
    assert np.concatenate([view.kinds for view in shown.views]).tolist() == batch.kinds.tolist()
    names = [augmenter.slots[slot].entry.name for slot in batch.operators.tolist()]
    assert [view.operator.name for view in shown.views] == names
    assert shown.branch == ("short" if n <= 4 else "long")
    assert shown.short_length == 4


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["policy", *(found.name for found in entries("operator"))]),
    st.integers(1, 90),
    st.integers(0, 99),
    st.integers(1, 5),
)
def test_the_edit_script_rebuilds_the_view(operator: str, n: int, seed: int, views: int) -> None:
    items, known = sequence(n), table(ITEMS, 2, [3, 4])
    shown = preview(config(), items, ITEMS, known, operator, seed, views)
    assert len(shown.views) == views
    for view in shown.views:
        assert operator in ("policy", view.operator.name)
        assert len(view.items) == len(view.sources) == len(view.kinds) == len(view.scores) <= 50
        kept = view.kinds == TokenKind.KEPT
        assert view.items[kept].tolist() == items[view.sources[kept]].tolist()
        assert (view.items[view.kinds == TokenKind.MASKED] == ITEMS + 1).all()
        looked_up = np.isin(view.kinds, (TokenKind.SUBSTITUTED, TokenKind.INSERTED))
        assert np.isnan(view.scores).tolist() == (~looked_up).tolist()
        present = set(view.sources[view.kinds != TokenKind.INSERTED].tolist())
        assert view.dropped.tolist() == sorted(set(range(n)) - present)
        if view.reordered is not None:
            start, stop = view.reordered
            outside = [*range(start), *range(stop, len(view.sources))]
            assert (view.sources[outside] == np.array(outside, dtype=int) + n - len(view.sources)).all()
        if (view.kinds == 0).all() and view.sources.tolist() == list(range(n)):
            assert view.note


def test_cropped_items_are_dropped() -> None:
    view = one("crop", 10, augment__crop_rate=0.3)
    first = int(view.sources[0])
    assert view.sources.tolist() == [first, first + 1, first + 2]
    assert view.dropped.tolist() == [i for i in range(10) if not first <= i < first + 3]
    assert view.note == ""


def test_a_crop_that_keeps_the_end_is_not_called_unchanged() -> None:
    kept_ends = 0
    for seed in range(30):
        view = one("crop", 10, seed=seed, augment__crop_rate=0.3)
        kept_ends += int(view.sources[-1] == 9)
        assert view.note == ""
    assert kept_ends


def test_items_beyond_the_longest_input_are_dropped() -> None:
    view = one("mask", 60)
    assert view.dropped.tolist() == list(range(10))


def test_an_inserted_token_does_not_stand_for_its_item() -> None:
    """Inserted after the chosen item, the neighbour can survive a cut that takes the item itself."""
    view = one("insert", 4, augment__insert_rate=1.0, model__max_length=5, fidelity__insert_side="after")
    assert view.sources.tolist() == [1, 2, 2, 3, 3]
    assert view.kinds.tolist() == [3, 0, 3, 0, 3]
    assert view.dropped.tolist() == [0, 1]


def test_reorder_names_its_range() -> None:
    view = one("reorder", 10, augment__reorder_rate=0.5, seed=3)
    assert view.reordered is not None
    assert view.reordered[1] - view.reordered[0] == 5


@pytest.mark.parametrize(
    ("operator", "n", "values", "note"),
    [
        ("reorder", 4, PUBLISHED, "Reorder of 0.2 × 4 items rounds down to 0."),
        ("reorder", 4, {}, "Reorder of 0.2 × 4 items is 1 item, and one item has no other order."),
        ("mask", 1, PUBLISHED, "Mask of 0.7 × 1 item rounds down to 0."),
        ("mask", 9, {"augment__mask_rate": 0.0}, "Mask has ratio 0."),
        ("substitute", 9, {"augment__substitute_rate": 0.0}, "Substitute has ratio 0."),
        ("insert", 9, {"augment__insert_rate": 0.0}, "Insert has ratio 0."),
        ("crop", 1, {}, "Crop keeps the only item."),
        ("crop", 9, {"augment__crop_rate": 1.0}, "Crop of 1 × 9 items keeps all of them."),
        ("crop", 4, PUBLISHED, ""),
        ("mask", 9, {}, ""),
    ],
)
def test_the_note_says_why_nothing_happens(operator: str, n: int, values: dict[str, Any], note: str) -> None:
    view = one(operator, n, **values)
    assert view.note == note
    assert (note != "") == (view.items.tolist() == sequence(n).tolist())


@pytest.mark.parametrize("operator", ["substitute", "insert"])
def test_the_note_counts_items_without_neighbours(operator: str) -> None:
    values = {"augment__substitute_rate": 1.0, "augment__insert_rate": 1.0}
    view = one(operator, 3, without=tuple(range(ITEMS + 1)), **values)
    assert view.note == "3 chosen items have no neighbour and stay as before."
    assert view.items.tolist() == sequence(3).tolist()


def test_at_ratio_zero_the_published_code_touches_one_item() -> None:
    view = one("insert", 5, augment__insert_rate=0.0, **PUBLISHED)
    assert (view.kinds == TokenKind.INSERTED).sum() == 1
    assert view.note == ""


def test_a_shuffle_that_changes_nothing_is_said_to() -> None:
    notes = {one("reorder", 2, augment__reorder_rate=1.0, seed=seed).note for seed in range(20)}
    assert notes == {"", "The draw happens to leave these items as they were."}


def test_the_seed_decides() -> None:
    shown = [preview(config(), sequence(20), ITEMS, table(ITEMS), "mask", seed) for seed in (5, 5, 6)]
    drawn = [[view.kinds.tolist() for view in each.views] for each in shown]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0][0] != drawn[0][1], "two views are two draws"


def test_wrong_use_is_refused() -> None:
    known = ", ".join(("policy", *(found.name for found in entries("operator"))))
    with pytest.raises(UsageError, match="no operator called 'shout'") as caught:
        preview(config(), sequence(5), ITEMS, table(ITEMS), "shout")
    assert f"Known: {known}." in str(caught.value)
    with pytest.raises(UsageError, match="no training input"):
        preview(config(), sequence(0), ITEMS, table(ITEMS))
    with pytest.raises(UsageError, match="0 views"):
        preview(config(), sequence(5), ITEMS, table(ITEMS), views=0)
