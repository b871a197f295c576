"""The table view of runs: how its columns are shown, chosen and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QStyle, QStyleOptionViewItem

from engine.records import RunRecord, RunStatus
from workbench.item_models.delegates import ROW_HEIGHT, NameDelegate, ProgressDelegate, StateDelegate
from workbench.item_models.runs_model import CHECK, COLUMN_IDS, COLUMNS, RunsModel
from workbench.theme import Theme
from workbench.widgets.plain_table import PaintedRows
from workbench.widgets.row_list import BY_KEY

LONGEST_MEAN = ".0000 ± .0000 (88)"
MARGIN = 24
"""Pixels beside the text of a cell, both sides together, and some more: texts are of unequal width."""
WIDEST_NAME = 520
"""Pixels of the names at most, as long as there are other columns that could be in sight instead."""
NAME = COLUMN_IDS.index("name")
_TICK = QStyle.SubElement.SE_ItemViewItemCheckIndicator
_TICKS = {
    Qt.CheckState.Unchecked: QStyle.StateFlag.State_Off,
    Qt.CheckState.PartiallyChecked: QStyle.StateFlag.State_NoChange,
    Qt.CheckState.Checked: QStyle.StateFlag.State_On,
}


class RunsTable(PaintedRows):
    """Rows of a `RunsModel`; the header's menu chooses columns."""

    def __init__(self, model: RunsModel, theme: Theme) -> None:
        super().__init__()
        self.runs = self.plain = model
        self.setModel(model)
        self.setAccessibleName("Runs")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self._delegates = {
            COLUMN_IDS.index("name"): NameDelegate(theme),
            COLUMN_IDS.index("status"): StateDelegate(theme),
            COLUMN_IDS.index("progress"): ProgressDelegate(theme),
        }
        self.own = frozenset(self._delegates)
        for number, delegate in self._delegates.items():
            self.setItemDelegateForColumn(number, delegate)
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._choose_columns)
        for number, column in enumerate(COLUMNS):
            self.setColumnWidth(number, column.width)
            self.setColumnHidden(number, not column.is_shown)
        # Before sorting is switched on: it would otherwise begin with the first column.
        header.setSortIndicator(COLUMN_IDS.index("created"), Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)
        self._narrow: dict[int, int] = {}
        self._wide = 0
        """Pixels of a group's mean, while runs are grouped."""
        self._name_width = COLUMNS[NAME].width
        """Of the names where the other columns take all the room, as the user has it or the default, which is the least
        that they get unasked."""
        self._is_stretching = False
        header.sectionResized.connect(self._resized_by_hand)
        self._kept: tuple[list[str], str] = ([], "")
        model.modelAboutToBeReset.connect(self._keep_selection)
        model.modelReset.connect(self._bring_selection_back)
        self._heir: int | None = None
        self._regrouped: list[str] = []
        model.counts_changed.connect(self._select_regrouped)
        for signal in (model.rowsRemoved, model.modelReset):
            signal.connect(lambda *_: self._inherit())
        self.doubleClicked.connect(self._double_clicked)

    def paint_own(self, painter: QPainter, option: QStyleOptionViewItem, column: int, cells: dict[int, QRect]) -> None:
        delegate, style, answer = self._delegates[column], self.style(), self.runs.answer
        if self.runs.flags(self.runs.index(0, column)) & Qt.ItemFlag.ItemIsUserCheckable:
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator  # type: ignore[attr-defined]
            tick = QStyleOptionViewItem(option)
            for row, cell in cells.items():
                option.rect = cell  # type: ignore[attr-defined]
                tick.rect = style.subElementRect(_TICK, option, self)  # type: ignore[attr-defined]
                tick.state = option.state | _TICKS[answer(row, column, CHECK)]  # type: ignore[attr-defined]
                style.drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorItemViewItemCheck, tick, painter, self)
        for row, cell in cells.items():
            option.rect = cell  # type: ignore[attr-defined]
            room = delegate.room(option, style)
            delegate.draw(painter, room, option.fontMetrics, partial(answer, row, column))  # type: ignore[attr-defined]

    def make_room(self, is_grouped: bool) -> None:
        """``.0287 ± .0004 (5)`` is longer than a value: columns of metrics are wider while runs are grouped."""
        if is_grouped:
            self._wide = self.fontMetrics().horizontalAdvance(LONGEST_MEAN) + MARGIN
        for number, column in enumerate(COLUMNS):
            width = self.columnWidth(number)
            if column.is_averaged and not self.isColumnHidden(number) and is_grouped and width < self._wide:
                self._narrow[number] = width
                self.setColumnWidth(number, self._wide)
            elif not is_grouped and number in self._narrow:
                narrow = self._narrow.pop(number)
                self.setColumnWidth(number, narrow if width == self._wide else width)
        self._stretch_names()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._stretch_names()

    def setColumnHidden(self, column: int, hide: bool) -> None:
        super().setColumnHidden(column, hide)
        if hasattr(self, "_name_width"):
            self._stretch_names()

    def _stretch_names(self) -> None:
        """What the columns leave free is the names': they are cut where beside them nothing stands. Unless somebody has
        chosen their width, they also have the room of what does not stand out at the first glance: the columns behind
        the first metric, which have to be scrolled to anyway."""
        header, room = self.horizontalHeader(), self.viewport().width()
        free = room - (header.length() - header.sectionSize(NAME))
        own = self._name_width
        if own == COLUMNS[NAME].width:
            own = max(own, min(room - self._beside_names(), WIDEST_NAME))
        self._is_stretching = True
        self.setColumnWidth(NAME, max(own, free))
        self._is_stretching = False

    def _beside_names(self) -> int:
        """Pixels of the other columns up to the first metric."""
        header, taken = self.horizontalHeader(), 0
        for place in range(header.count()):
            column = header.logicalIndex(place)
            taken += header.sectionSize(column) if column != NAME else 0
            if COLUMNS[column].is_averaged and not header.isSectionHidden(column):
                break
        return taken

    def _resized_by_hand(self, column: int, _: int, width: int) -> None:
        if column == NAME and width and not self._is_stretching:
            self._name_width = width

    def selected_keys(self) -> list[str]:
        """Keys of the selected rows, from top to bottom."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [key for row in rows if (key := self.runs.key(row))]

    def selected(self) -> list[RunRecord]:
        """Records of the selected rows, from top to bottom; of a group, all its runs."""
        ids = dict.fromkeys(run_id for key in self.selected_keys() for run_id in self.runs.runs_of(key))
        return [record for run_id in ids if (record := self.runs.book.get(run_id)) is not None]

    def foremost(self) -> RunRecord | None:
        """The run whose details are shown: of the first selected row, of a group what trains, otherwise its newest."""
        ids = [run_id for key in self.selected_keys()[:1] for run_id in self.runs.runs_of(key)]
        records = [record for run_id in ids if (record := self.runs.book.get(run_id)) is not None]
        training = (record for record in records if record.status is RunStatus.RUNNING)
        return next(training, records[0] if records else None)

    def _keep_selection(self) -> None:
        self._kept = (self.selected_keys(), self.runs.key(self.currentIndex().row()))

    def _bring_selection_back(self) -> None:
        keys, current = self._kept
        flag = QItemSelectionModel.SelectionFlag
        self.selectionModel().select(self._selection_of(self._rows_of(keys)), flag.ClearAndSelect)
        if current and (row := self.runs.row_of(current)) is not None:
            self.selectionModel().setCurrentIndex(self.runs.index(row, 0), flag.NoUpdate)

    def regroup(self, is_grouped: bool) -> None:
        """Groups instead of runs, or the other way round: the rows that stand for the same runs are selected."""
        self._regrouped = [record.id for record in self.selected()]
        self.make_room(is_grouped)
        self.runs.set_grouped(is_grouped)

    def _select_regrouped(self) -> None:
        if not self._regrouped:
            return
        if self.selected_keys():
            self._regrouped = []
            return
        rows = self._rows_of(self._regrouped)
        if rows:  # the rows of many runs come in slices, and other news before the last of them
            self._regrouped = []
            flag = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(self.runs.index(rows[0], 0), flag.NoUpdate)
            self.selectionModel().select(self._selection_of(rows), flag.ClearAndSelect)

    def _rows_of(self, keys: Sequence[str]) -> list[int]:
        """The rows that stand for them and are there, from top to bottom."""
        return sorted({row for key in keys if (row := self.runs.row_of(key)) is not None})

    def _selection_of(self, rows: Sequence[int]) -> QItemSelection:
        selection = QItemSelection()
        for row in rows:
            selection.select(self.runs.index(row, 0), self.runs.index(row, self.runs.columnCount() - 1))
        return selection

    def pass_on(self) -> None:
        """The selected rows are about to leave: whatever stands in the first one's place then is selected."""
        rows = [index.row() for index in self.selectionModel().selectedRows()]
        self._heir = min(rows, default=None)

    def _inherit(self) -> None:
        if self._heir is None or self.selected_keys():
            return
        row, self._heir = min(self._heir, self.runs.rowCount() - 1), None
        if row >= 0:
            self.selectRow(row)

    def _double_clicked(self, index: QModelIndex) -> None:
        key = self.runs.key(index.row())
        self.runs.set_open(key, not self.runs.is_open(key))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes by a key has a row selected: Qt makes the first one current only, which no arrow selects."""
        super().focusInEvent(event)
        if event.reason() in BY_KEY and not self.selected_keys() and self.runs.rowCount():
            self.selectRow(max(self.currentIndex().row(), 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Right and Left open and close the group of the current row; Left of a run in a group goes to the group."""
        key = self.runs.key(self.currentIndex().row())
        is_open = {Qt.Key.Key_Right: True, Qt.Key.Key_Left: False}.get(Qt.Key(event.key()))
        if is_open is not None and key.startswith("group:"):
            self.runs.set_open(key, is_open)
            return
        if is_open is False and (group := self.runs.group_of(key)):
            self.select(group)
            return
        super().keyPressEvent(event)

    def select(self, run_id: str) -> bool:
        """Select a run and bring it into sight; False where it is not in the table."""
        row = self.runs.row_of(run_id)
        if row is None:
            return False
        self.selectRow(row)
        self.scrollTo(self.runs.index(row, 0))
        return True

    def _choose_columns(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_columns_menu(menu)
        menu.popup(self.horizontalHeader().mapToGlobal(place))

    def fill_columns_menu(self, menu: QMenu) -> None:
        """A tick for every column but the first."""
        for number, column in enumerate(COLUMNS[1:], 1):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.toggled.connect(lambda on, which=number: self.setColumnHidden(which, not on))

    def save_state(self) -> dict[str, Any]:
        """Sorting, hidden columns and widths, JSON-ready."""
        header = self.horizontalHeader()
        name, ascending = self.runs.sorting
        return {
            "sort": [name, ascending],
            "hidden": [COLUMNS[n].id for n in range(len(COLUMNS)) if self.isColumnHidden(n)],
            "widths": {COLUMNS[n].id: header.sectionSize(n) for n in range(len(COLUMNS)) if header.sectionSize(n)}
            | {COLUMNS[NAME].id: self._name_width},
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """What `save_state` gave; whatever makes no sense is passed over."""
        hidden, widths, sort = state.get("hidden"), state.get("widths"), state.get("sort")
        for number, column in enumerate(COLUMNS):
            if isinstance(hidden, list):
                self.setColumnHidden(number, column.id in hidden and number > 0)
            if isinstance(widths, dict) and isinstance(width := widths.get(column.id), int) and 20 <= width <= 2000:
                self.setColumnWidth(number, width)
        self._stretch_names()
        if isinstance(sort, list) and len(sort) == 2 and sort[0] in COLUMN_IDS:
            order = Qt.SortOrder.AscendingOrder if sort[1] is True else Qt.SortOrder.DescendingOrder
            self.sortByColumn(COLUMN_IDS.index(sort[0]), order)
