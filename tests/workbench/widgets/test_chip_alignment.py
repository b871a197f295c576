"""Columns of the edit script: every original position one, inserted items their own, everything where it came from."""

from __future__ import annotations

import random

import pytest

from engine.records import AugmentationPreview, AugmentedView, SequenceToken, TokenKind, ViewToken
from tests.helpers.fake_engine import make_view
from workbench.widgets.chip_alignment import Alignment, ChipState, align

ORIGINAL = tuple(SequenceToken(f"{n}0", f"Item {n}") for n in range(5))


def token(source: int, kind: TokenKind = TokenKind.KEPT, item: str = "", score: float | None = None) -> ViewToken:
    name = item or ORIGINAL[source].item
    return ViewToken(name, f"Item {name}", source, kind, score)


def shown(*views: AugmentedView) -> Alignment:
    return align(AugmentationPreview("1", ORIGINAL, "long", 4, views, 1))


def view(*tokens: ViewToken, dropped: tuple[int, ...] = (), reordered: tuple[int, int] | None = None) -> AugmentedView:
    return AugmentedView("Op", "O", tokens, (0, len(tokens)), dropped, reordered)


def states(alignment: Alignment, row: int) -> list[tuple[int, ChipState, str]]:
    return [(chip.column, chip.state, chip.item) for chip in alignment.rows[row].chips]


def test_kept_and_substituted_tokens_stand_under_their_source() -> None:
    alignment = shown(view(*(token(n) for n in range(4)), token(4, TokenKind.SUBSTITUTED, "99", 0.8)))
    assert alignment.positions == (0, 1, 2, 3, 4)
    assert states(alignment, 1)[3:] == [(3, ChipState.KEPT, "30"), (4, ChipState.SUBSTITUTED, "99")]
    chip = alignment.chip_at(1, 4)
    assert chip is not None
    assert chip.before == ORIGINAL[4]
    assert "Item 4 → Item 99 (item 99), correlation 0.800" in chip.describe()


def test_an_inserted_item_has_a_column_of_its_own_in_front_of_what_follows() -> None:
    tokens = [token(0), token(1, TokenKind.INSERTED, "77"), *(token(n) for n in range(1, 5))]
    alignment = shown(view(*tokens), view(*(token(n) for n in range(5))))
    assert alignment.positions == (0, None, 1, 2, 3, 4)
    assert [chip.column for chip in alignment.rows[0].chips] == [0, 2, 3, 4, 5]
    assert states(alignment, 1)[1] == (1, ChipState.INSERTED, "77")
    assert alignment.chip_at(2, 1) is None
    assert [chip.column for chip in alignment.rows[2].chips] == [0, 2, 3, 4, 5]


def test_a_repeated_item_has_a_column_of_its_own() -> None:
    alignment = shown(view(token(0), token(1), token(1), *(token(n) for n in range(2, 5)), token(4)))
    assert alignment.positions == (0, 1, None, 2, 3, 4, None)
    kept = [(column, ChipState.KEPT, item) for column, item in enumerate(("00", "10", "10", "20", "30", "40", "40"))]
    assert states(alignment, 1) == kept


def test_an_item_inserted_after_the_last_one_ends_the_row() -> None:
    alignment = shown(view(*(token(n) for n in range(5)), token(4, TokenKind.INSERTED, "77")))
    assert alignment.positions == (0, 1, 2, 3, 4, None)
    assert states(alignment, 1)[-1] == (5, ChipState.INSERTED, "77")


def test_two_views_share_the_column_of_insertions_at_the_same_place() -> None:
    tokens = [token(0), token(1, TokenKind.INSERTED, "77"), *(token(n) for n in range(1, 5))]
    others = [token(0), token(1, TokenKind.INSERTED, "88"), *(token(n) for n in range(1, 5))]
    alignment = shown(view(*tokens), view(*others))
    assert alignment.positions.count(None) == 1
    assert states(alignment, 1)[1][0] == states(alignment, 2)[1][0] == 1


def test_reordered_tokens_stand_where_the_view_has_them_and_arcs_start_where_they_were() -> None:
    alignment = shown(view(token(0), token(3), token(2), token(1), token(4), reordered=(1, 4)))
    assert states(alignment, 1) == [
        (0, ChipState.KEPT, "00"),
        (1, ChipState.REORDERED, "30"),
        (2, ChipState.KEPT, "20"),
        (3, ChipState.REORDERED, "10"),
        (4, ChipState.KEPT, "40"),
    ]
    assert set(alignment.rows[1].arcs) == {(3, 1), (1, 3)}


def test_what_was_cropped_is_a_ghost_in_its_own_column() -> None:
    alignment = shown(view(token(1), token(2), dropped=(0, 3, 4)))
    assert [state for _, state, _ in states(alignment, 1)] == [
        *(ChipState.DROPPED, ChipState.KEPT, ChipState.KEPT),
        *(ChipState.DROPPED, ChipState.DROPPED),
    ]
    ghost = alignment.chip_at(1, 0)
    assert ghost is not None
    assert ghost.position is None


def test_a_masked_token_tells_what_it_hides() -> None:
    alignment = shown(view(token(0, TokenKind.MASKED, "[mask]"), *(token(n) for n in range(1, 5))))
    chip = alignment.chip_at(1, 0)
    assert chip is not None
    assert (chip.state, chip.item) == (ChipState.MASKED, "00")
    assert chip.describe() == "position 1, masked: was Item 0 (item 00)"


def test_an_empty_preview_has_no_columns() -> None:
    assert align(AugmentationPreview("1", (), "short", 4, (view(),), 1)).positions == ()


@pytest.mark.parametrize("name", ["crop", "mask", "reorder", "substitute", "insert"])
@pytest.mark.parametrize("seed", range(5))
def test_every_token_and_every_dropped_item_has_exactly_one_place(name: str, seed: int) -> None:
    made = make_view(name, ORIGINAL, random.Random(seed))
    alignment = shown(made)
    chips = alignment.rows[1].chips
    assert len({chip.column for chip in chips}) == len(chips) == len(made.tokens) + len(made.dropped)
    in_order = [chip.item for chip in chips if chip.position is not None and chip.state is not ChipState.MASKED]
    assert in_order == [t.item for t in made.tokens if t.kind is not TokenKind.MASKED]
    for chip in chips:
        if chip.state in (ChipState.KEPT, ChipState.MASKED, ChipState.SUBSTITUTED, ChipState.DROPPED):
            assert alignment.positions[chip.column] == chip.source
        if chip.state is ChipState.INSERTED:
            assert alignment.positions[chip.column] is None
