"""A search field with the list of what it finds: one for users, one for items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QVBoxLayout, QWidget

from engine.records import Matches
from workbench.context import Context
from workbench.engine_process import Task
from workbench.item_models.rows import Column, RowsModel
from workbench.theme import SMALL, TIGHT
from workbench.widgets.cards import label
from workbench.widgets.row_list import RowList, SearchField

DELAY = 150
"""Milliseconds without a key before the search is sent."""


class SearchList(QWidget):
    """``picked`` with the id of the row that is chosen by click or Return.

    The search runs in the engine process over all there is; only the newest answer counts, and the line below says how
    many match beside those listed.
    """

    picked = Signal(str)
    failed = Signal(object)
    arrived = Signal()
    """An answer is shown: the data set can be read."""

    def __init__(self, context: Context, columns: Sequence[Column], what: tuple[str, str], hint: str) -> None:
        """``what`` is found, one and many; ``hint`` stands in the empty field."""
        super().__init__()
        self._context = context
        self._one, self._many = what
        self._takes_first = False
        self.field = SearchField()
        self.model = RowsModel(columns)
        self.view = RowList()
        self.found = label("", "muted", wrap=True)
        self.head = QHBoxLayout()
        """The row of the field, for buttons beside it."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.search)
        self._arrange(hint)
        self.field.textChanged.connect(self._text_changed)
        self.field.returnPressed.connect(self._first)
        self.field.went_down.connect(self._into_list)
        self.view.activated.connect(self._take)
        self.view.clicked.connect(self._take)

    def _arrange(self, hint: str) -> None:
        self.field.setPlaceholderText(hint)
        self.field.setClearButtonEnabled(True)
        self.view.setModel(self.model)
        self.view.setAccessibleName(f"{self._many.capitalize()} found")
        header = self.view.horizontalHeader()
        for column in range(self.model.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.head.setSpacing(TIGHT)
        self.head.addWidget(self.field, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addLayout(self.head)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.found)

    # --- what a list is of

    def id_of(self, row: Any) -> str:
        """The id of a record."""
        raise NotImplementedError

    def ask(self, text: str) -> tuple[Any, ...]:
        """The facade's method and its arguments for what matches ``text``."""
        raise NotImplementedError

    # --- what is asked

    def clear(self) -> None:
        """Another data set: nothing is searched for, and nothing found."""
        self._takes_first = False
        self.model.set_rows(())
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)

    @Slot()
    def search(self) -> None:
        """Ask for what matches the field's text."""
        self._timer.stop()
        if not self.model.rows:
            self.found.setText("Searching …")
        self._send()

    def _send(self) -> Task:
        function, *question = self.ask(self.field.text().strip())
        return self._context.run_in_engine(
            function, *question, on_result=self._show, on_error=self._failed, key=(id(self), "found")
        )

    def _text_changed(self, _text: str) -> None:
        self._takes_first = False
        self._timer.start()

    def _failed(self, error: BaseException) -> None:
        self._takes_first = False
        self.model.set_rows(())
        self.found.setText("The data set cannot be read")
        self.failed.emit(error)

    # --- what is found

    def _show(self, found: Matches[Any]) -> None:
        self.model.set_rows(found.rows)
        self.found.setText(self._told(found))
        if self._takes_first and found.rows:
            self.picked.emit(self.id_of(found.rows[0]))
        self._takes_first = False
        self.arrived.emit()

    def _told(self, found: Matches[Any]) -> str:
        """How many match, and which of them are listed."""
        listed = len(found.rows)
        if not listed:
            return self.nothing()
        if listed == found.total:
            return f"{listed:,} {self._one if listed == 1 else self._many}"
        which = f"The first {listed:,}" if not found.first else f"{found.first + 1:,} to {found.first + listed:,}"
        return f"{which} of {found.total:,} {self._many}; type to search all"

    def nothing(self) -> str:
        """What is said where nothing matches."""
        return f"No {self._one} matches"

    def select(self, wanted: str) -> bool:
        """Mark the row in the list, where it is in it; whether it is."""
        for row, record in enumerate(self.model.rows):
            if self.id_of(record) == wanted:
                self.view.reveal(row)
                return True
        self.view.clearSelection()
        return False

    # --- choosing

    def _first(self) -> None:
        """Return takes the first match, also of a text that is still being searched for."""
        if self._timer.isActive():
            self._takes_first = True
            self.search()
        elif self.model.rows:
            self.picked.emit(self.id_of(self.model.rows[0]))

    def _into_list(self) -> None:
        if self.model.rows:
            self.view.setFocus(Qt.FocusReason.TabFocusReason)
            if not self.view.selectionModel().hasSelection():
                self.view.setCurrentIndex(self.model.index(0, 0))

    def _take(self, index: QModelIndex) -> None:
        self.picked.emit(self.id_of(self.model.rows[index.row()]))
