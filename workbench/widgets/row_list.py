"""A list of rows to pick from, and the search field above it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QTableView

OURS = tuple(QKeyCombination(Qt.KeyboardModifier.ControlModifier, key) for key in (Qt.Key.Key_D, Qt.Key.Key_E))
"""Differences and Export. Under X11 Qt takes them in a text field as Emacs does, for Del and End, which have keys."""

BY_KEY = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
    Qt.FocusReason.OtherFocusReason,
)
"""How the focus comes that is not brought by the mouse or by another window."""


class RowList(QTableView):
    """``activated`` comes with Return on every platform, also where Qt would begin to edit."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # ids that begin alike are told apart by their ends
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 12)
        self.horizontalHeader().setHighlightSections(False)
        # Columns that fit their contents measure what is in sight and a few rows more, not thousands.
        self.horizontalHeader().setResizeContentsPrecision(0)

    def reveal(self, row: int) -> None:
        """Make a row the current one and bring it into view, also right after the rows have changed."""
        index = self.model().index(row, 0)
        self.setCurrentIndex(index)
        self.executeDelayedItemsLayout()  # until then the scroll bar is as long as the rows before
        rect = self.visualRect(index)
        if rect.top() < 0 or rect.bottom() > self.viewport().height():
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class SearchField(QLineEdit):
    """A search field; ``went_down`` when the Down key leaves it for the list below."""

    went_down = Signal()

    def event(self, event: QEvent) -> bool:
        is_asked_first = event.type() == QEvent.Type.ShortcutOverride
        if is_asked_first and isinstance(event, QKeyEvent) and event.keyCombination() in OURS:
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.went_down.emit()
            return
        super().keyPressEvent(event)
