"""Search for an item by title or id: a field, and a list of what matches with its popularity."""

from __future__ import annotations

from typing import Any

from engine.records import ItemRecord, Matches
from workbench.context import Context
from workbench.item_models.rows import Column
from workbench.widgets.search_list import SearchList

LIMIT = 200
ID = 1
COLUMNS = (
    Column("Item", lambda row: row.title or f"Item {row.item}"),
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
        # Without titles, the first column has the ids already.
        self.view.setColumnHidden(ID, bool(found.rows) and not any(row.title for row in found.rows))
        super()._show(found)
