"""Choices without room end in dots; what a field proposes looks as the window does."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QLineEdit, QStyleOptionComboBox
from pytestqt.qtbot import QtBot

from workbench.theme import Theme, style_sheet
from workbench.widgets.choice_box import ChoiceBox, Proposals


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
