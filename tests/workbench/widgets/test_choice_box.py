"""Choices without room end in dots; the wheel turns no box; what a field proposes looks as the window does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QStringListModel, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

from workbench.theme import Theme, style_sheet
from workbench.widgets.choice_box import ChoiceBox, DecimalBox, NameBox, NumberBox, Proposals, SlideBox


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


@pytest.mark.parametrize("kind", [NumberBox, DecimalBox])
@pytest.mark.parametrize(("typed", "wanted"), [("3", 5), ("12", 12), ("", 10), ("2000", 200)])
def test_a_number_out_of_range_becomes_the_nearest(
    qtbot: QtBot, kind: type[NumberBox] | type[DecimalBox], typed: str, wanted: int
) -> None:
    """Qt goes back to the number before; what is too large it does not let be typed to its end."""
    box = kind()
    qtbot.addWidget(box)
    box.setRange(5, 1000)
    box.setPrefix("at ")
    box.setSuffix(" min")
    box.setValue(10)
    box.selectAll()
    QTest.keyClicks(box, typed)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value() == wanted


def test_a_box_as_wide_as_its_longest_choice_cuts_nothing(qtbot: QtBot, theme: Theme) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    theme.dress(box)
    box.addItems(["One column (3.3 in)", "Slide (9 in)"])
    box.resize(box.sizeHint())
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    assert option.currentText == "One column (3.3 in)"


def test_a_narrow_box_of_runs_shows_the_model_and_the_seed(qtbot: QtBot) -> None:
    box = NameBox()
    qtbot.addWidget(box)
    box.addItems([f"sasrec-strong · max minutes 0.5 · seed {seed}" for seed in (1, 2)])
    box.setFixedWidth(210)
    shown = []
    for place in range(2):
        box.setCurrentIndex(place)
        option = QStyleOptionComboBox()
        box.initStyleOption(option)
        shown.append(option.currentText)
    assert shown[0] != shown[1]
    assert all(text.startswith("sas") and "…" in text and f"seed {n}" in text for n, text in enumerate(shown, 1))


def test_the_list_of_a_narrow_box_is_as_wide_as_its_choices(qtbot: QtBot) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    box.addItems(["A choice with many more words than its field has room for", "Short"])
    box.setFixedWidth(90)
    box.show()
    box.showPopup()
    assert box.view().width() >= box.view().sizeHintForColumn(0)
    box.hidePopup()
