"""Picks a user: search by id, a list with lengths, the user before, after, or any."""

from __future__ import annotations

import random

from PySide6.QtCore import QModelIndex, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QToolButton, QVBoxLayout, QWidget

from engine.records import UserRecord
from workbench.context import Context
from workbench.item_models.rows import Column, RowsModel
from workbench.theme import SMALL, TIGHT
from workbench.widgets.cards import label
from workbench.widgets.numbers import count
from workbench.widgets.row_list import RowList, SearchField

LIMIT = 500
DELAY = 150
"""Milliseconds without a key before the search is sent."""

COLUMNS = (
    Column("User", lambda row: row.user),
    Column("Items", lambda row: row.length, tip="Length of the whole sequence"),
    Column("Input", lambda row: row.training_length, tip="Length of the training input, which K compares"),
)


class UserPicker(QWidget):
    """``picked`` with the user's id, once a user is chosen in any way."""

    picked = Signal(str)
    failed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.user = ""
        self.field = SearchField()
        self.model = RowsModel(COLUMNS)
        self.view = RowList()
        self.found = label("", "muted")
        self.before, self.after, self.any = QToolButton(), QToolButton(), QToolButton()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self.search)
        self._arrange()
        self.field.textChanged.connect(lambda _: self._timer.start())
        self.field.returnPressed.connect(self._first)
        self.field.went_down.connect(self._into_list)
        self.view.activated.connect(self._pick_row)
        self.view.clicked.connect(self._pick_row)
        self.before.clicked.connect(self.go_before)
        self.after.clicked.connect(self.go_after)
        self.any.clicked.connect(self.go_anywhere)

    def _arrange(self) -> None:
        self.field.setPlaceholderText("User id")
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Search for a user by id")
        self.view.setModel(self.model)
        self.view.setAccessibleName("Users found")
        header = self.view.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        row = QHBoxLayout()
        row.setSpacing(TIGHT)
        row.addWidget(self.field, 1)
        for button, icon, name in (
            (self.before, "chevron-left", "Previous user (Alt+Left)"),
            (self.after, "chevron-right", "Next user (Alt+Right)"),
            (self.any, "dice", "A random user (Ctrl+R)"),
        ):
            self._context.theme.follow_icon(button, icon)
            button.setToolTip(name)
            button.setAccessibleName(name)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addLayout(row)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.found)

    def start(self) -> None:
        """Another data set: forget the user, list the first ones and pick the first that has a training input."""
        self.user = ""
        self._context.forget((id(self), "beside"))
        self.model.set_rows(())
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)
        self.search()

    @Slot()
    def search(self) -> None:
        """Ask for the users that match."""
        self._timer.stop()
        if not self.model.rows:
            self.found.setText("Searching …")
        context = self._context
        context.run_in_engine(
            context.workspace.datasets.users,
            context.session.dataset,
            self.field.text().strip(),
            LIMIT,
            on_result=self._show,
            on_error=self._failed,
            key=(id(self), "users"),
        )

    def _failed(self, error: BaseException) -> None:
        self.model.set_rows(())
        self.found.setText("The data set cannot be read")
        self.failed.emit(error)

    def _show(self, rows: tuple[UserRecord, ...]) -> None:
        self.model.set_rows(rows)
        more = f"The first {LIMIT}; type to narrow" if len(rows) == LIMIT else count(len(rows), "user")
        self.found.setText(more if rows else "No user's id contains this")
        if not self.user and rows:
            # A first sight that shows something: a user with enough items for every operator.
            self.pick(next((row.user for row in rows if row.training_length >= 5), rows[0].user))
        self._mark()

    def pick(self, user: str) -> None:
        """Make a user the picked one."""
        self.user = user
        self._mark()
        self.picked.emit(user)

    def _mark(self) -> None:
        for row, record in enumerate(self.model.rows):
            if record.user == self.user:
                self.view.setCurrentIndex(self.model.index(row, 0))
                return
        self.view.clearSelection()

    def _pick_row(self, index: QModelIndex) -> None:
        self.pick(self.model.rows[index.row()].user)

    def _first(self) -> None:
        if self._timer.isActive():
            self.search()
        elif self.model.rows:
            self.pick(self.model.rows[0].user)

    def _into_list(self) -> None:
        if self.model.rows:
            self.view.setFocus()
            self.view.setCurrentIndex(self.model.index(0, 0))

    def _go(self, step: int) -> None:
        context = self._context
        context.run_in_engine(
            context.workspace.datasets.user_beside,
            context.session.dataset,
            self.user,
            step,
            on_result=lambda record: self.pick(record.user),
            on_error=self.failed.emit,
            key=(id(self), "beside"),
        )

    @Slot()
    def go_before(self) -> None:
        """The user before, in the file's order."""
        self._go(-1)

    @Slot()
    def go_after(self) -> None:
        """The user after."""
        self._go(1)

    @Slot()
    def go_anywhere(self) -> None:
        """Any user."""
        self._go(random.randrange(1, 2**40))
