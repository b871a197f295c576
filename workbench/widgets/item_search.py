"""Search for an item by title or id: a field, and a list of what matches with its popularity."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import QHeaderView, QVBoxLayout, QWidget

from engine.records import ItemRecord
from workbench.context import Context
from workbench.item_models.rows import Column, RowsModel
from workbench.theme import SMALL
from workbench.widgets.cards import label
from workbench.widgets.numbers import count
from workbench.widgets.row_list import RowList, SearchField

LIMIT = 200
DELAY = 150
"""Milliseconds without a key before the search is sent."""

COLUMNS = (
    Column("Item", lambda row: row.title or f"Item {row.item}"),
    Column("Id", lambda row: row.item),
    Column("Users", lambda row: row.users, tip="Users whose training part contains it"),
)


class ItemSearch(QWidget):
    """``picked`` with the item's id. The search runs in the engine process; only the newest answer counts."""

    picked = Signal(str)
    failed = Signal(object)
    arrived = Signal()
    """An answer is shown: the data set can be read."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.field = SearchField()
        self.model = RowsModel(COLUMNS)
        self.view = RowList()
        self.found = label("", "muted")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.search)
        self._arrange()
        self.field.textChanged.connect(lambda _: self._timer.start())
        self.field.returnPressed.connect(self._first)
        self.field.went_down.connect(self._into_list)
        self.view.activated.connect(self._pick)
        self.view.clicked.connect(self._pick)

    def _arrange(self) -> None:
        self.field.setPlaceholderText("Search by title or id")
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Search for an item by title or id")
        view = self.view
        view.setModel(self.model)
        view.setAccessibleName("Items found")
        header = view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addWidget(self.field)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.found)

    def _into_list(self) -> None:
        if self.model.rows:
            self.view.setFocus(Qt.FocusReason.TabFocusReason)
            self.view.setCurrentIndex(self.model.index(0, 0))

    def search(self) -> None:
        """Ask for what matches the field's text."""
        self._timer.stop()
        if not self.model.rows:
            self.found.setText("Searching …")
        context = self._context
        context.run_in_engine(
            context.workspace.datasets.items,
            context.session.dataset,
            self.field.text().strip(),
            LIMIT,
            on_result=self._show,
            on_error=self._failed,
            key=(id(self), "items"),
        )

    def _failed(self, error: BaseException) -> None:
        self.model.set_rows(())
        self.found.setText("The data set cannot be read")
        self.failed.emit(error)

    def _show(self, rows: tuple[ItemRecord, ...]) -> None:
        self.model.set_rows(rows)
        self.view.setColumnHidden(1, bool(rows) and not any(row.title for row in rows))
        more = f"The first {LIMIT} items; type to narrow them" if len(rows) == LIMIT else count(len(rows), "item")
        self.found.setText(more if rows else "No item matches: try part of a title, or an id")
        self.arrived.emit()

    def select(self, item: str) -> None:
        """Mark the item in the list, where it is in it."""
        for row, record in enumerate(self.model.rows):
            if record.item == item:
                self.view.setCurrentIndex(self.model.index(row, 0))
                return
        self.view.clearSelection()

    def _first(self) -> None:
        if self._timer.isActive():
            self.search()
        elif self.model.rows:
            self.picked.emit(self.model.rows[0].item)

    def _pick(self, index: QModelIndex) -> None:
        self.picked.emit(self.model.rows[index.row()].item)
