"""The split drawn on a sequence: lanes against the slices of FACTS F1, cells, keys, and what a reader is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from engine.records import PlacedItem, UserSequence
from workbench.theme import Theme
from workbench.widgets.sequence_panel import SequencePanel
from workbench.widgets.sequence_strip import CELL, WIDEST, LaneNames, SequenceStrip, describe, lanes


def step(n: int, part: str = "training", *, is_repeat: bool = False, is_cold: bool = False) -> PlacedItem:
    return PlacedItem(str(n), "", None, part, False, False, is_repeat, is_cold, 1)


def sequence(count: int, *, repeats_test: bool = False, cold_test: bool = False) -> UserSequence:
    parts = ["training"] * (count - 2) + ["valid", "test"] if count >= 4 else ["training"] * count
    places = [step(n, part) for n, part in enumerate(parts)]
    places[-1] = step(count, parts[-1], is_repeat=repeats_test, is_cold=cold_test)
    return UserSequence("u", 0, tuple(places), count >= 4, max(count - 3, 0))


@given(st.integers(4, 40), st.none() | st.integers(1, 20))
def test_lanes_are_the_slices_of_the_split(count: int, longest: int | None) -> None:
    items = list(range(count))
    train, targets, valid, test = lanes(count, True, longest)
    seen = slice(None) if longest is None else slice(-longest, None)
    assert items[slice(*train.seen)] == items[:-3][seen]
    assert items[slice(*targets.seen)] == items[1:-2][seen]
    assert (items[slice(*valid.seen)], valid.target) == (items[:-2][seen], count - 2)
    assert (items[slice(*test.seen)], test.target) == (items[:-1][seen], count - 1)
    for lane, whole in ((train, items[:-3]), (targets, items[1:-2]), (valid, items[:-2]), (test, items[:-1])):
        assert items[slice(*lane.unseen)] + items[slice(*lane.seen)] == whole


def test_a_user_too_short_for_the_split_has_no_lanes() -> None:
    assert lanes(3, False, 50) == ()


def test_cells_are_as_wide_as_there_is_room(qtbot: QtBot, theme: Theme) -> None:
    strip = SequenceStrip(theme)
    qtbot.addWidget(strip)
    strip.set_room(600)
    strip.set_sequence(sequence(4))
    assert strip.cell == WIDEST
    strip.set_sequence(sequence(2000))
    assert CELL <= strip.cell < WIDEST
    assert strip.width() == 2000 * strip.cell + 2
    assert strip.place_at(QPointF(strip.cell * 7 + 3, 9)) == 7
    assert strip.place_at(QPointF(strip.cell * 2000 + 1, 9)) == -1
    strip.show()
    assert not strip.grab().isNull()


def test_keys_move_within_the_sequence(qtbot: QtBot, theme: Theme) -> None:
    strip = SequenceStrip(theme)
    qtbot.addWidget(strip)
    strip.set_sequence(sequence(5))
    moves: list[int] = []
    strip.moved.connect(moves.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Right):
        qtbot.keyClick(strip, key)
    assert moves == [0, 1, 0, 0, 4, 4]
    strip.set_sequence(None)
    qtbot.keyClick(strip, Qt.Key.Key_End)
    assert len(moves) == 6


def test_the_focus_frame_leaves_the_sequence_in_sight(qtbot: QtBot, theme: Theme) -> None:
    strip = SequenceStrip(theme)
    qtbot.addWidget(strip)
    strip.set_sequence(sequence(5))
    strip.show()
    middle = strip.cell + strip.cell // 2, strip.height() - 60
    before = strip.grab().toImage().pixelColor(*middle)
    strip.hasFocus = lambda: True  # type: ignore[method-assign]
    image = strip.grab().toImage()
    assert image.pixelColor(*middle) == before
    assert image.pixelColor(strip.width() // 2, 0).name() == theme.colours.accent


def test_what_a_position_is_called() -> None:
    assert describe(step(7), 0) == "1. item 7, training part"
    found = describe(PlacedItem("7", "Tent", None, "test", False, False, True, True, 0), 8)
    assert found == "9. Tent (7), test target, ↺ had before, ∅ in no training part"


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (sequence(3), "3 items: fewer than the 4 that the split needs."),
        (
            sequence(60),
            "57 > K = 8, so it is long (Eq. 12). The encoder sees the last 50 of each input.",
        ),
        (sequence(11), "Training input: 8 ≤ K = 8, so it is short (Eq. 12)."),
        (sequence(9, repeats_test=True), "a certain miss where seen items are excluded."),
        (sequence(9, cold_test=True), "in no training part: nearly a certain miss."),
    ],
)
def test_the_panel_says_what_the_split_makes_of_the_user(
    qtbot: QtBot, theme: Theme, shown: UserSequence, says: str
) -> None:
    panel = SequencePanel(theme)
    qtbot.addWidget(panel)
    panel.set_split(8, 50)
    panel.set_sequence(shown)
    assert says in panel.words.text()
    assert len(dict(panel.columns())["#"]) == len(shown.places)
    panel.set_split(8, None)
    assert "encoder" not in panel.words.text()


def test_lane_names_follow_the_lanes(qtbot: QtBot, theme: Theme) -> None:
    names = LaneNames(theme)
    qtbot.addWidget(names)
    names.set_names(())
    assert names.names == ("Sequence",)
    names.set_names(lanes(5, True, None))
    assert names.names == ("Sequence", "Training input", "Training targets", "Validation", "Test")
    assert not names.grab().isNull()
