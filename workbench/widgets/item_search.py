"""Search for an item by title or id: a field, and a list of what matches with its popularity."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QResizeEvent

from engine.records import ItemRecord, Matches
from workbench.context import Context
from workbench.item_models.rows import Column
from workbench.item_names import item_name
from workbench.widgets.search_list import SearchList

LIMIT = 200
TITLE, ID, USERS = range(3)
LEAST_TITLE = 180
"""Pixels of a title that are worth more than the id beside it, which the tip says too."""


def _title(row: ItemRecord) -> str:
    return item_name(row.item, row.title)


COLUMNS = (
    Column("Item", _title, about=lambda row: f"{row.title} (item {row.item})" if row.title else _title(row)),
    Column("Id", lambda row: row.item),
    Column("Users", lambda row: row.users, tip="Users whose training part contains it"),
)


class ItemSearch(SearchList):
    """Items, most popular first."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, COLUMNS, ("item", "items"), "Search by title or id")
        self.field.setAccessibleName("Search for an item by title or id")

    def id_of(self, row: ItemRecord) -> str:
        return row.item

    def ask(self, text: str) -> tuple[Any, ...]:
        return self._context.workspace.datasets.items, self._context.session.dataset, text, LIMIT

    def nothing(self) -> str:
        return "No item matches: try part of a title, or an id"

    def _show(self, found: Matches[ItemRecord]) -> None:
        super()._show(found)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Ids have a column where titles leave them the room; without titles, the first column has the ids."""
        rows, view = self.model.rows, self.view
        if rows:
            others = view.sizeHintForColumn(ID) + view.sizeHintForColumn(USERS)
            has_room = self.width() - others >= LEAST_TITLE
            view.setColumnHidden(ID, not has_room or not any(row.title for row in rows))
