"""The left side of Compare: every group of ended runs, filtered as you type, ticked with Space or the mouse."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QVBoxLayout, QWidget

from workbench.item_models.compare_choices import ChoicesModel
from workbench.theme import SMALL, SPACE, WIDE, Theme
from workbench.widgets.cards import label
from workbench.widgets.layout import button
from workbench.widgets.name_delegate import NameDelegate
from workbench.widgets.row_list import BY_KEY, RowList, SearchField
from workbench.widgets.states import StatefulStack

NAME, SEEDS, METRIC, DATA = range(4)


class _Ticks(RowList):
    toggled = Signal(int)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes by a key has a row to tick: Qt makes none the selected one."""
        super().focusInEvent(event)
        if event.reason() in BY_KEY:
            self.select_any()

    def select_any(self) -> None:
        """Select the first row, unless one is selected."""
        if not self.selectionModel().hasSelection() and self.model().rowCount():
            self.selectRow(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and self.currentIndex().isValid():
            self.toggled.emit(self.currentIndex().row())
            return
        super().keyPressEvent(event)


class CompareChooser(QWidget):
    """``model.ticked`` are the groups that are compared."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.model = ChoicesModel()
        self._place: frozenset[str] = frozenset()
        """Runs of the group whose row is selected, or was before a filter hid it."""
        self.field = SearchField()
        self.field.setPlaceholderText("Filter by name, data, seed, id  (Ctrl+F)")
        self.field.setAccessibleName("Filter the groups")
        self.field.setClearButtonEnabled(True)
        self.table = _Ticks()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Groups of runs: Space ticks one")
        self.table.setMinimumWidth(320)
        self.table.verticalHeader().setDefaultSectionSize(2 * self.table.fontMetrics().height() + 12)
        self.table.setItemDelegateForColumn(NAME, NameDelegate(self.table))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (SEEDS, METRIC, DATA):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.clear_button = button("Untick all", self.model.clear_ticks, theme=theme, icon="close")
        self.told = label("", "muted")
        self.stack = StatefulStack(self.table, theme)
        self._arrange()
        self.field.textChanged.connect(self._filter)
        self.field.went_down.connect(self._go_down)
        self.table.toggled.connect(self.model.toggle)
        self.table.activated.connect(lambda index: self.model.toggle(index.row()))
        self.model.ticked_changed.connect(self.show_state)
        self.model.modelAboutToBeReset.connect(self._keep_place)
        self.model.modelReset.connect(self._come_back)
        self.model.modelReset.connect(self.show_state)

    def _arrange(self) -> None:
        foot = QHBoxLayout()
        foot.setSpacing(SMALL)
        foot.addWidget(self.told, 1)
        foot.addWidget(self.clear_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(WIDE, SPACE, 0, WIDE)
        column.setSpacing(SPACE)
        column.addWidget(self.field)
        column.addWidget(self.stack, 1)
        column.addLayout(foot)

    def show_state(self) -> None:
        """Say how many are ticked; an empty list says why."""
        ticked = len(self.model.ticked)
        # Where all is of one data set, the page's heading says which: names have the room.
        self.table.setColumnHidden(DATA, len({item.fingerprint for item in self.model.choices}) < 2)
        self.told.setText(f"{ticked} of {len(self.model.choices)} ticked")
        self.clear_button.setEnabled(ticked > 0)
        if self.model.choices and not self.model.rows:
            self.stack.show_empty("No groups match", "", "filter", "Clear the filter", self.field.clear)
        else:
            self.stack.show_content()

    def _keep_place(self) -> None:
        row = self.table.currentIndex().row()
        if row >= 0:  # otherwise a filter has hidden it, and it may come back
            self._place = frozenset(self.model.rows[row].run_ids)

    def _come_back(self) -> None:
        """A run that has ended, or a filter, does not take the selected row from who goes by keys."""
        row = next((n for n, item in enumerate(self.model.rows) if self._place & set(item.run_ids)), -1)
        if row >= 0:
            self.table.selectRow(row)
        elif self.table.hasFocus():
            self.table.select_any()

    def _filter(self, text: str) -> None:
        self.model.set_filter(text)

    def _go_down(self) -> None:
        self.table.setFocus(Qt.FocusReason.TabFocusReason)
        if self.model.rows:
            self.table.selectRow(0)
