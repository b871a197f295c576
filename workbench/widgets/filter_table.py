"""A table of any number of rows with its filter: words and comparisons, ready-made filters, order, CSV.

By keyboard: Ctrl+F or typing goes into the filter, Down from there into the table, S sorts by the column that the
cursor is in, Return opens the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QVBoxLayout, QWidget

from engine.records import TextColumn
from engine.records.query import QueryError
from workbench.item_models.columnar import ArrayColumn, ColumnarModel
from workbench.theme import SMALL, Theme, repolish
from workbench.widgets.cards import Elided, label
from workbench.widgets.choice_box import ChoiceBox
from workbench.widgets.numbers import count
from workbench.widgets.plain_table import PlainTable
from workbench.widgets.row_list import RowList, SearchField
from workbench.widgets.tables import CsvOut, as_text, plain

WIDEST = 260
"""The most that a column of texts takes by itself."""


class SortedList(PlainTable):
    """``sort_asked`` when S is pressed: sort by the current column."""

    sort_asked = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_S and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.sort_asked.emit(max(self.currentIndex().column(), 0))
            return
        super().keyPressEvent(event)


class FilterTable(QWidget):
    """``title`` names the table; ``thing`` is what a row is. Rows are told by their number in the columns."""

    picked = Signal(int)
    """Another row is the current one."""
    opened = Signal(int)
    """Return or a double click on a row."""

    def __init__(self, theme: Theme, title: str, thing: str, filters: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.title, self.thing = title, thing
        self.model = ColumnarModel()
        self.field = SearchField()
        self.ready_made = ChoiceBox()
        self.view = SortedList(self.model)
        self.problem = label("", "error", wrap=True)
        self.found = Elided("", "muted")
        self.copy, self.save = QPushButton("Copy as CSV"), QPushButton("Save as CSV …")
        self.csv = CsvOut(self, lambda: title, self.model.csv_parts)
        self.current = -1
        """Number of the current row in the columns; it stays while a filter hides it."""
        self._wanted_order: tuple[str, bool] | None = None
        self._arrange(theme)
        self.set_filters(filters)
        self._connect()

    def _arrange(self, theme: Theme) -> None:
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName(f"Filter {self.title.lower()}")
        self.problem.hide()
        self.ready_made.setAccessibleName(f"Ready-made filters for {self.title.lower()}")
        self.ready_made.setToolTip("Filters often wanted; each writes itself into the field, to be changed there")
        view = self.view
        view.setAccessibleName(self.title)
        view.setAlternatingRowColors(True)
        view.setToolTip("")
        header = view.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        for button, icon in ((self.copy, "copy"), (self.save, "download")):
            theme.follow_icon(button, icon, "muted")
            button.setToolTip("The rows as they are filtered and sorted")
        top = QHBoxLayout()
        top.setSpacing(SMALL)
        top.addWidget(self.field, 1)
        top.addWidget(self.ready_made)
        foot = QHBoxLayout()
        foot.setSpacing(SMALL)
        foot.addWidget(self.found, 1)
        foot.addWidget(self.copy)
        foot.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addLayout(top)
        layout.addWidget(self.problem)
        layout.addWidget(view, 1)
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.field.textChanged.connect(self._filter)
        self.field.went_down.connect(self._into_table)
        self.field.returnPressed.connect(self._into_table)
        self.ready_made.activated.connect(self._use_ready_made)
        header = self.view.horizontalHeader()
        header.sortIndicatorChanged.connect(self._sort)
        self.view.sort_asked.connect(self.sort_next)
        self.view.selectionModel().currentRowChanged.connect(self._current_changed)
        self.view.activated.connect(lambda index: self.opened.emit(int(self.model.rows[index.row()])))
        self.csv.told.connect(self.found.set_full)
        self.copy.clicked.connect(self.csv.copy)
        self.save.clicked.connect(self.csv.ask_where)

    # --- the rows

    def set_columns(self, columns: Sequence[ArrayColumn], stretched: int = 0) -> None:
        """Show other rows; column ``stretched`` takes the room that is left, -1: the last, if there is some."""
        self.current = -1
        with self._quiet():
            self.model.set_columns(columns)
        names = ", ".join(self.model.names)
        number = next((column.name for column in columns if not column.is_text), "")
        self.field.setPlaceholderText(f"Filter: words, or comparisons such as {number}>20" if number else "Filter")
        self.field.setToolTip(
            f"Words that the row contains, and comparisons: {number}>10, several together.\nColumns: {names}."
            if columns
            else ""
        )
        header = self.view.horizontalHeader()
        header.setStretchLastSection(stretched < 0)
        for place, column in enumerate(columns):
            is_stretched = place == stretched
            mode = QHeaderView.ResizeMode.Stretch if is_stretched else QHeaderView.ResizeMode.Interactive
            header.setSectionResizeMode(place, mode)
            if not is_stretched:
                header.resizeSection(place, self._width(column))
        if self._wanted_order is not None:
            self.set_order(*self._wanted_order)
        self._filter(self.field.text())

    def _width(self, column: ArrayColumn) -> int:
        """Room for the title and for the longest value, without making every row's text."""
        metrics = self.view.fontMetrics()
        values = column.values
        if not len(values):
            widest = ""
        elif isinstance(values, TextColumn):
            widest = values[int(np.argmax(np.diff(values.offsets)))]
        else:
            ends = (plain(values.min()), plain(values.max()))
            widest = max((column.text(end) if column.text else as_text(end) for end in ends), key=len)
        # The title is bold, and has the sign of the order beside it.
        title = round(metrics.horizontalAdvance(column.title) * 1.1) + 38
        return max(title, min(metrics.horizontalAdvance(widest) + 24, WIDEST))

    def set_values(self, name: str, values: NDArray[Any]) -> None:
        """Give one column other values; the cursor stays on its row."""
        with self._quiet():
            self.model.set_values(name, values)
        self._mark()
        self._say_count()

    def order(self) -> tuple[str, bool] | None:
        """Name of the column that sorts, and whether the highest comes first."""
        return self.model.sorted_by or self._wanted_order

    def set_order(self, name: str, is_descending: bool) -> None:
        """Sort by the column of that name, now or as soon as there is one."""
        self._wanted_order = (name, is_descending)
        for place, column in enumerate(self.model.columns):
            if column.name == name:
                order = Qt.SortOrder.DescendingOrder if is_descending else Qt.SortOrder.AscendingOrder
                self._wanted_order = None
                self.view.horizontalHeader().setSortIndicator(place, order)

    def set_filters(self, filters: Sequence[tuple[str, str]]) -> None:
        """Ready-made filters: name and text."""
        self.ready_made.clear()
        self.ready_made.addItem(f"All {self.title.lower()}", "")
        for name, text in filters:
            self.ready_made.addItem(name, text)
        self.ready_made.setVisible(bool(filters))

    def pick(self, number: int) -> None:
        """Make a row the current one, showing it where the filter does not hide it."""
        self.current = number
        self._mark()

    # --- what the user does

    @Slot(str)
    def _filter(self, text: str) -> None:
        try:
            with self._quiet():
                self.model.set_filter(text)
        except QueryError as error:
            self._complain(str(error))
            return
        self._complain("")
        self._mark()
        self._say_count()
        place = self.ready_made.findData(text.strip())
        self.ready_made.setCurrentIndex(place if place >= 0 else -1)
        self.ready_made.setPlaceholderText("Own filter")

    def _say_count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        if shown == total:
            self.found.set_full(count(total, self.thing))
        elif shown:
            self.found.set_full(f"{shown:,} of {count(total, self.thing)}")
        else:
            self.found.set_full(f"None of {count(total, self.thing)}: clear the filter (Esc)")

    def _complain(self, text: str) -> None:
        """Say below the field why its text filters nothing; an empty text: all is well."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        if self.field.property("wrong") is not bool(text):
            self.field.setProperty("wrong", bool(text))
            repolish(self.field)

    @Slot(int)
    def _use_ready_made(self, place: int) -> None:
        self.field.setText(self.ready_made.itemData(place))

    @Slot(int, Qt.SortOrder)
    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        with self._quiet():
            self.model.sort(column, order)
        self._mark()

    @Slot(int)
    def sort_next(self, column: int) -> None:
        """Ascending, then descending, then the file's order again."""
        header = self.view.horizontalHeader()
        is_same = header.sortIndicatorSection() == column
        if is_same and header.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder:
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        else:
            order = Qt.SortOrder.DescendingOrder if is_same else Qt.SortOrder.AscendingOrder
            header.setSortIndicator(column, order)
        index = self.view.currentIndex()
        if index.isValid() and index.column() != column:
            with self._quiet():
                self.view.setCurrentIndex(index.siblingAtColumn(column))

    @Slot()
    def _into_table(self) -> None:
        if not self.model.rowCount():
            return
        if not self.view.currentIndex().isValid():
            self.view.setCurrentIndex(self.model.index(0, 0))
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
            return
        super().keyPressEvent(event)

    # --- the current row, which must outlive filters and orders

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid() and not self._is_quiet:
            self.current = int(self.model.rows[index.row()])
            self.picked.emit(self.current)

    _is_quiet = False

    def _quiet(self) -> _Quiet:
        return _Quiet(self)

    def _mark(self) -> None:
        """Put the view's cursor on the current row."""
        row = self.model.row_of(self.current) if self.current >= 0 else -1
        with self._quiet():
            if row < 0:
                self.view.clearSelection()
                self.view.setCurrentIndex(QModelIndex())
                return
            column = max(self.view.currentIndex().column(), 0)
            self.view.setCurrentIndex(self.model.index(row, column))
            self.view.scrollTo(self.model.index(row, column), RowList.ScrollHint.EnsureVisible)


class _Quiet:
    """While it lasts, a change of the view's cursor is not the user's."""

    def __init__(self, table: FilterTable) -> None:
        self._table = table

    def __enter__(self) -> None:
        self._before = self._table._is_quiet
        self._table._is_quiet = True

    def __exit__(self, *_: object) -> None:
        self._table._is_quiet = self._before
