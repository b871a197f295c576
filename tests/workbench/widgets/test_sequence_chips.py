"""The painted rows: where chips stand, what keys and mouse do, what a reader without eyes hears."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.config import ExperimentConfig
from engine.records import AugmentationPreview, SequenceToken
from tests.helpers.fake_engine import FakeDatasets, make_view
from workbench.theme import DARK, LIGHT, Colours, Theme
from workbench.theme import palette as palette_of
from workbench.widgets.chip_alignment import Chip, ChipState
from workbench.widgets.chip_style import ChipLegend, colours
from workbench.widgets.sequence_chips import SequenceChips


def preview(*names: str, user: str = "10") -> AugmentationPreview:
    original = FakeDatasets().sequence("sample", user)[:-3]
    config = ExperimentConfig().replace({"augment.reorder_rate": 0.6})
    views = tuple(make_view(name, original, random.Random(3), config) for name in names)
    return AugmentationPreview(user, original, "long", 4, views, 1)


@pytest.fixture
def chips(qtbot: QtBot, theme: Theme) -> SequenceChips:
    widget = SequenceChips()
    qtbot.addWidget(widget)
    widget.resize(900, 460)
    widget.show()
    return widget


def test_chips_of_one_column_stand_above_each_other(chips: SequenceChips) -> None:
    chips.set_preview(preview("insert", "substitute"))
    lefts: dict[int, set[float]] = {}
    for row in chips.alignment.rows:
        for chip in row.chips:
            lefts.setdefault(chip.column, set()).add(chips.chip_rect(chip).left())
    assert all(len(found) == 1 for found in lefts.values())
    assert len({chips.chip_rect(chip).width() for row in chips.alignment.rows for chip in row.chips}) == 1


def test_headings_tell_operator_and_lengths(chips: SequenceChips) -> None:
    chips.set_preview(preview("insert", "crop"))
    assert [h.title for h in chips.headings] == ["Original", "View 1 · Insert", "View 2 · Crop"]
    assert chips.headings[1].detail == "12 → 17 items"


def test_arrow_keys_walk_and_the_description_follows(qtbot: QtBot, chips: SequenceChips) -> None:
    chips.set_preview(preview("insert", "substitute"))
    heard: list[Chip | None] = []
    chips.current_changed.connect(heard.append)
    qtbot.keyClick(chips, Qt.Key.Key_Right)
    qtbot.keyClick(chips, Qt.Key.Key_Right)
    assert chips.current == chips.alignment.rows[0].chips[1]
    qtbot.keyClick(chips, Qt.Key.Key_Down)
    assert chips.current is not None
    assert (chips.current.row, chips.current.column) == (1, chips.alignment.rows[0].chips[1].column)
    assert chips.accessibleDescription() == f"View 1 · Insert, {chips.current.describe()}"
    assert heard[-1] == chips.current
    qtbot.keyClick(chips, Qt.Key.Key_End)
    assert chips.current == chips.alignment.rows[1].chips[-1]
    assert chips.horizontalScrollBar().value() > 0
    qtbot.keyClick(chips, Qt.Key.Key_Home)
    assert chips.horizontalScrollBar().value() == 0


def test_return_asks_for_the_items_neighbours_and_copy_takes_its_id(qtbot: QtBot, chips: SequenceChips) -> None:
    chips.set_preview(preview("mask"))
    chips.set_current(chips.alignment.rows[0].chips[2])
    with qtbot.waitSignal(chips.item_activated) as asked:
        qtbot.keyClick(chips, Qt.Key.Key_Return)
    assert asked.args == [chips.alignment.rows[0].chips[2].item]
    qtbot.keyClick(chips, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == chips.alignment.rows[0].chips[2].item


def test_a_click_selects_the_chip_under_it_also_when_scrolled(qtbot: QtBot, chips: SequenceChips) -> None:
    chips.set_preview(preview("crop"))
    chips.horizontalScrollBar().setValue(150)
    chip = chips.alignment.rows[1].chips[4]
    centre = chips.chip_rect(chip).center() - chips._offset()
    qtbot.mouseClick(chips.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(int(centre.x()), int(centre.y())))
    assert chips.current == chip


def test_a_reroll_keeps_the_item_and_not_the_column(chips: SequenceChips) -> None:
    """Insert moves what follows it one column on; the same column was another item then."""
    original = tuple(SequenceToken(str(n), f"Thing {n}") for n in range(20))

    def shown(seed: int, operator: str = "insert") -> AugmentationPreview:
        return AugmentationPreview(
            "1", original, "long", 4, (make_view(operator, original, random.Random(seed)),), seed
        )

    chips.set_preview(shown(1))
    held = next(chip for chip in chips.alignment.rows[1].chips if chip.source == 15 and chip.state is ChipState.KEPT)
    chips.set_current(held)
    columns = set()
    for seed in range(2, 12):
        chips.set_preview(shown(seed))
        assert chips.current is not None
        assert (chips.current.row, chips.current.source, chips.current.item) == (1, 15, held.item)
        columns.add(chips.current.column)
    assert len(columns) > 1
    chips.set_preview(shown(1, "reorder"))
    assert chips.current is not None
    assert chips.current.source == 15
    chips.set_preview(AugmentationPreview("2", original[:9], "long", 4, (), 1))
    assert chips.current is None


def test_it_survives_an_empty_and_a_very_long_sequence(qtbot: QtBot, chips: SequenceChips) -> None:
    long = tuple(SequenceToken(str(n), "") for n in range(400))
    chips.set_preview(AugmentationPreview("1", long, "long", 4, (make_view("reorder", long, random.Random(1)),), 1))
    chips.grab()
    assert chips.horizontalScrollBar().maximum() > 30_000
    chips.set_preview(None)
    chips.grab()
    assert chips.current is None
    assert chips.horizontalScrollBar().maximum() == 0
    qtbot.keyClick(chips, Qt.Key.Key_Right)


@pytest.mark.parametrize("shade", [LIGHT, DARK], ids=["light", "dark"])
def test_every_state_is_drawn_apart_and_readable(qapp: QApplication, shade: Colours) -> None:
    palette = palette_of(shade)
    marked = [s for s in ChipState if s.symbol]
    assert len({s.symbol for s in marked}) == len({colours(s, palette).edge.name() for s in marked}) == len(marked)
    for state in marked[:-1]:
        shades = colours(state, palette)
        assert _contrast(shades.text.name(), shades.fill.name()) >= 7
        assert _contrast(shades.edge.name(), shades.fill.name()) >= 4.5


def _contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio of two #rrggbb colours."""
    lights = []
    for name in (one, other):
        parts = [int(name[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_the_legend_says_every_state(qtbot: QtBot, theme: Theme) -> None:
    legend = ChipLegend()
    qtbot.addWidget(legend)
    for words in ("kept", "masked", "substituted", "inserted", "reordered", "dropped"):
        assert words in legend.accessibleDescription()
    assert legend.grab().height() > 10
