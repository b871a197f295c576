"""Choices without room end in dots; the wheel turns no box; what a field proposes looks as the window does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QStringListModel, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

from workbench.theme import Theme, style_sheet
from workbench.widgets.choice_box import ChoiceBox, DecimalBox, NumberBox, Proposals, SlideBox


def test_a_choice_that_is_too_long_ends_in_dots(qtbot: QtBot) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.addItems(["A choice with many more words than its field has room for, and then some", "Short"])
    box.setFixedWidth(200)
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    assert option.currentText.startswith("A choice")
    assert option.currentText.endswith("…")
    assert box.currentText().endswith("some")
    box.setCurrentIndex(1)
    box.initStyleOption(option)
    assert option.currentText == "Short"


def test_what_a_field_proposes_is_dressed_as_the_window_is(qtbot: QtBot, theme: Theme) -> None:
    field = QLineEdit()
    qtbot.addWidget(field)
    made = Proposals(QStringListModel(["one", "other"]), theme, field)
    field.setCompleter(made)
    assert made.popup().styleSheet() == style_sheet(theme.colours)
    theme.choose("light" if theme.colours.is_dark else "dark")
    assert made.popup().styleSheet() == style_sheet(theme.colours)


@pytest.mark.parametrize("kind", [ChoiceBox, NumberBox, DecimalBox, SlideBox])
def test_the_wheel_turns_no_box_and_is_left_to_the_page(qtbot: QtBot, kind: type[QWidget]) -> None:
    box = kind()
    qtbot.addWidget(box)
    if isinstance(box, ChoiceBox):
        box.addItems(["one", "two", "three"])
        box.setCurrentIndex(1)
    else:
        box.setValue(5)  # type: ignore[attr-defined]
    at = QPointF(box.rect().center())
    for turn in (120, -120):
        event = QWheelEvent(
            *(at, box.mapToGlobal(at), QPoint(0, 0), QPoint(0, turn)),
            *(Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False),
        )
        QApplication.sendEvent(box, event)
        assert not event.isAccepted(), "Qt hands what is not accepted on to the parent, which scrolls"
        assert (box.currentIndex() if isinstance(box, ChoiceBox) else box.value()) in (1, 5)  # type: ignore[attr-defined]
    assert box.focusPolicy() == Qt.FocusPolicy.StrongFocus, "or the wheel would take the focus there"
