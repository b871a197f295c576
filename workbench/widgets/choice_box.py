"""Lists to choose from: whose shown text ends in … where there is no room for it, and what a field proposes."""

from __future__ import annotations

from PySide6.QtCore import QObject, QStringListModel, Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QListView, QStyle, QStyleOptionComboBox

from workbench.theme import TIGHT, Theme


class ChoiceBox(QComboBox):
    """Qt cuts a text wherever the field ends, in the middle of a letter; the list shows it whole."""

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width() - TIGHT
        words = option.fontMetrics.elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)  # type: ignore[attr-defined]
        option.currentText = words  # type: ignore[attr-defined]


class Proposals(QCompleter):
    """A completer whose list looks as the others do: it is a window of its own, which no other one dresses."""

    def __init__(self, words: QStringListModel, theme: Theme, parent: QObject) -> None:
        super().__init__(words, parent)
        self._list = QListView()  # held: the theme does not
        theme.dress(self._list)
        self.setPopup(self._list)
