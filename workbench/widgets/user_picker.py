"""Picks a user: search by id, a list with lengths, the user before, after, or any."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from engine.records import Matches, UserRecord
from workbench.context import Context
from workbench.item_models.rows import Column
from workbench.widgets.search_list import SearchList

LIMIT = 500
ITEMS = 1
ENOUGH = 250
"""Pixels from which on the user's id has room beside both lengths."""
COLUMNS = (
    Column("User", lambda row: row.user),
    Column("Items", lambda row: row.length, tip="Length of the whole sequence"),
    Column("Input", lambda row: row.training_length, tip="Length of the training input, which K compares"),
)


class UserPicker(SearchList):
    """``user`` is the picked one, ``picked`` in whatever way; the list goes with it, wherever it is in the file."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, COLUMNS, ("user", "users"), "User id")
        self.field.setAccessibleName("Search for a user by id")
        self.user = ""
        self._has_all_in_sight = True
        self.before, self.after, self.any = QToolButton(), QToolButton(), QToolButton()
        for button, icon, name, go in (
            (self.before, "chevron-left", "Previous user (Alt+Left)", self.go_before),
            (self.after, "chevron-right", "Next user (Alt+Right)", self.go_after),
            (self.any, "dice", "A random user (Ctrl+R)", self.go_anywhere),
        ):
            context.theme.follow_icon(button, icon)
            button.setToolTip(name)
            button.setAccessibleName(name)
            button.clicked.connect(go)
            self.head.addWidget(button)
        for first, then in pairwise((self.field, self.before, self.after, self.any, self.view)):
            QWidget.setTabOrder(first, then)
        self.picked.connect(self._set_user)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # What tells users apart comes first: the whole length is told on Dataset too.
        self.view.setColumnHidden(ITEMS, self.width() < ENOUGH)

    def id_of(self, row: UserRecord) -> str:
        return row.user

    def ask(self, text: str) -> tuple[Any, ...]:
        # Without a text the list is the part of the file that the picked user is in.
        around = "" if text else self.user
        return self._context.workspace.datasets.users, self._context.session.dataset, text, LIMIT, around

    def nothing(self) -> str:
        return "No user's id contains this"

    def start(self) -> None:
        """Another data set: forget the user, list the first ones and pick the first that has a training input."""
        self.user = ""
        self._context.forget((id(self), "beside"))
        self.clear()
        self.search()

    def _show(self, found: Matches[UserRecord]) -> None:
        super()._show(found)
        self._has_all_in_sight = len(found.rows) == found.total
        if not self.user and found.rows:
            # A first sight that shows something: a user with enough items for every operator.
            self.pick(next((row.user for row in found.rows if row.training_length >= 5), found.rows[0].user))
        self.select(self.user)

    def pick(self, user: str) -> None:
        """Make a user the picked one."""
        self.picked.emit(user)

    def _set_user(self, user: str) -> None:
        self.user = user
        if not self.select(user) and self.model.rows and not self._has_all_in_sight and not self.field.text().strip():
            self._send()

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
