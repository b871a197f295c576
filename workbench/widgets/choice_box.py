"""Boxes to choose and to count with: none of them takes the wheel, which belongs to the page around it.

Whoever scrolls a page passes over its fields; a field that turned with the wheel would change a run unseen. So no
module makes Qt's own boxes (`tests/test_architecture.py` sees to it).
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QStringListModel, Qt
from PySide6.QtGui import QFontMetrics, QWheelEvent
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
from workbench.widgets.name_delegate import shortened


class _LeavesTheWheel:
    """Before one of Qt's boxes: the wheel neither turns it nor gives it the focus, it goes on to what is around."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # type: ignore[attr-defined]

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class _KeepsToItsRange:
    """Before one of Qt's spin boxes: a number typed outside its range becomes the nearest inside, where Qt would go
    back to what was there before, as if nothing had been typed."""

    def fixup(self, text: str) -> str:
        box: Any = self
        number, is_number = box.locale().toDouble(text.removeprefix(box.prefix()).removesuffix(box.suffix()).strip())
        if not is_number:
            return str(super().fixup(text))  # type: ignore[misc]
        kept = min(max(number, box.minimum()), box.maximum())
        return f"{box.prefix()}{box.textFromValue(type(box.value())(kept))}{box.suffix()}"


class NumberBox(_LeavesTheWheel, _KeepsToItsRange, QSpinBox):
    """A whole number."""


class DecimalBox(_LeavesTheWheel, _KeepsToItsRange, QDoubleSpinBox):
    """A number."""


class SlideBox(_LeavesTheWheel, QSlider):
    """A number by its place on a line."""


class ChoiceBox(_LeavesTheWheel, QComboBox):
    """Qt cuts a text wherever the field ends, in the middle of a letter; the list shows it whole."""

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width()
        # Only what does not go in: a box that is as wide as its longest text has no room to spare.
        if option.fontMetrics.horizontalAdvance(option.currentText) > room:  # type: ignore[attr-defined]
            option.currentText = self.cut(option.currentText, option.fontMetrics, room - TIGHT)  # type: ignore[attr-defined]

    def showPopup(self) -> None:
        """As wide as the longest choice: Qt's list is as wide as the field, and cuts the choices as the field does."""
        view = self.view()
        wanted = view.sizeHintForColumn(0) + view.verticalScrollBar().sizeHint().width() + 2 * TIGHT
        view.setMinimumWidth(min(wanted, self.screen().availableSize().width() // 2))
        super().showPopup()

    def cut(self, text: str, metrics: QFontMetrics, room: int) -> str:
        """The text where it has but ``room`` pixels."""
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)


class NameBox(ChoiceBox):
    """A choice among runs or groups: the model and what a run has otherwise stay to be read."""

    def cut(self, text: str, metrics: QFontMetrics, room: int) -> str:
        return shortened(text, metrics, room)


class Proposals(QCompleter):
    """A completer whose list looks as the others do: it is a window of its own, which no other one dresses."""

    def __init__(self, words: QStringListModel, theme: Theme, parent: QObject) -> None:
        super().__init__(words, parent)
        self._list = QListView()  # held: the theme does not
        theme.dress(self._list)
        self.setPopup(self._list)
