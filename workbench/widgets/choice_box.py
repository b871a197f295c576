"""Boxes to choose and to count with: none of them takes the wheel, which belongs to the page around it.

Whoever scrolls a page passes over its fields; a field that turned with the wheel would change a run unseen. So no
module makes Qt's own boxes (`tests/test_architecture.py` sees to it).
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QStringListModel, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QDoubleSpinBox,
    QListView,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
)

from workbench.theme import TIGHT, Theme


class _LeavesTheWheel:
    """Before one of Qt's boxes: the wheel neither turns it nor gives it the focus, it goes on to what is around."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # type: ignore[attr-defined]

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class NumberBox(_LeavesTheWheel, QSpinBox):
    """A whole number."""


class DecimalBox(_LeavesTheWheel, QDoubleSpinBox):
    """A number."""


class SlideBox(_LeavesTheWheel, QSlider):
    """A number by its place on a line."""


class ChoiceBox(_LeavesTheWheel, QComboBox):
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
