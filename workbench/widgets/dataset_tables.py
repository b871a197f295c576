"""The users and the items tab of the Dataset page: filtered tables, and beside the users one user's sequence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from engine.records import ItemTable, UserSequence, UserTable
from workbench.item_models.dataset_columns import ITEM_FILTERS, USER_FILTERS, item_columns, user_columns
from workbench.theme import HUGE, WIDE, Theme
from workbench.widgets.cards import label
from workbench.widgets.filter_table import FilterTable
from workbench.widgets.sequence_panel import SequencePanel


class UsersTab(QSplitter):
    """The table at the left, the picked user at the right."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.table = FilterTable(theme, "Users", "user", USER_FILTERS)
        self.panel = SequencePanel(theme)
        self.users: UserTable | None = None
        self._k = -1
        self.setContentsMargins(HUGE, WIDE, HUGE, WIDE)
        self.setChildrenCollapsible(False)
        self.addWidget(self.table)
        self.addWidget(self.panel)
        self.setStretchFactor(0, 5)
        self.setStretchFactor(1, 4)
        self.table.view.setToolTip("S: sort by the column of the cursor · Return: open the user on the Augment page")

    def set_users(self, users: UserTable, k: int) -> None:
        """Show another data set's users."""
        self.users, self._k = users, k
        self.panel.clear()
        self.table.set_columns(user_columns(users, k), stretched=-1)

    def set_split(self, k: int, longest: int | None) -> None:
        """K moves who is short; ``longest`` is what the encoder sees."""
        self.panel.set_split(k, longest)
        if self.users is not None and k != self._k:
            self._k = k
            self.table.set_values("short", self.users.short(k))

    def set_sequence(self, sequence: UserSequence) -> None:
        """Show a user and mark its row."""
        self.panel.set_sequence(sequence)
        self.table.pick(sequence.row)


class ItemsTab(QWidget):
    """The items; Return or a double click leads to an item's neighbours."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.table = FilterTable(theme, "Items", "item", ITEM_FILTERS)
        self.items: ItemTable | None = None
        self.table.view.setToolTip("S: sort by the column of the cursor · Return: the item's neighbours")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(HUGE, WIDE, HUGE, WIDE)
        layout.addWidget(label("Return or a double click shows an item's neighbours.", "muted"))
        layout.addWidget(self.table, 1)

    def set_items(self, items: ItemTable) -> None:
        """Show another data set's items."""
        self.items = items
        self.table.set_columns(item_columns(items), stretched=0 if items.titles is None else 1)
