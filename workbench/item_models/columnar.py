"""A table of a hundred thousand rows that sorts and filters at once: columns are arrays, an order is an array of rows.

Nothing is done a row at a time: a filter is a boolean array, a sort one argsort (kept, so that going back is free), and
only cells on the screen become text. A sort proxy over a Python model takes seconds for the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from engine.records import TextColumn
from engine.records.filtering import numbers_of, rows_kept
from engine.records.query import Query, parse
from workbench.widgets.tables import as_text, csv_parts, plain

Index = QModelIndex | QPersistentModelIndex
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_DIGIT = 1 << 16


@dataclass(frozen=True, eq=False)
class ArrayColumn:
    """``values`` [R]; ``name`` is what the filter calls it; ``text`` shows a value, where numbers are not enough."""

    name: str
    title: str
    values: NDArray[Any] | TextColumn
    tip: str = ""
    text: Callable[[Any], str] | None = None

    @property
    def is_text(self) -> bool:
        return isinstance(self.values, TextColumn)

    @property
    def keys(self) -> NDArray[Any]:
        """Numbers that order the rows."""
        return self.values.ranks if isinstance(self.values, TextColumn) else self.values


class ColumnarModel(QAbstractTableModel):
    """Shows ``rows``, an array of row numbers of the columns. Sorting is stable: equal rows keep the file's order."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: tuple[ArrayColumn, ...] = ()
        self.rows: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.query = Query()
        self.sorted_by: tuple[str, bool] | None = None
        """Name of the column, and whether the highest comes first."""
        self._orders: dict[tuple[str, bool], NDArray[np.int64]] = {}
        self._ids: dict[str, NDArray[np.float64] | None] = {}
        self._keep: NDArray[np.bool_] | None = None

    # --- what is shown

    def set_columns(self, columns: Sequence[ArrayColumn]) -> None:
        """Show other columns; filter and order stay where the new columns have them.

        Raises ``ValueError`` for columns of different lengths.
        """
        if len({len(column.values) for column in columns}) > 1:
            raise ValueError("columns differ in length")
        self.beginResetModel()
        self.columns = tuple(columns)
        self._orders.clear()
        self._ids.clear()
        if self.sorted_by is not None and self.sorted_by[0] not in {column.name for column in columns}:
            self.sorted_by = None
        if self.query.comparisons and {part.column for part in self.query.comparisons} - set(self.names):
            self.query = Query()
        self._keep = self._kept()
        self._arrange()
        self.endResetModel()

    def set_values(self, name: str, values: NDArray[Any]) -> None:
        """Give a column other values [R]; filter and order follow where they look at it."""
        place = next(place for place, column in enumerate(self.columns) if column.name == name)
        columns = list(self.columns)
        columns[place] = replace(columns[place], values=values)
        self._orders = {key: order for key, order in self._orders.items() if key[0] != name}
        is_sorted = self.sorted_by is not None and self.sorted_by[0] == name
        if not is_sorted and all(part.column != name for part in self.query.comparisons):
            self.columns = tuple(columns)
            if len(self.rows):
                self.dataChanged.emit(self.index(0, place), self.index(len(self.rows) - 1, place))
            return
        self.beginResetModel()
        self.columns = tuple(columns)
        self._keep = self._kept()
        self._arrange()
        self.endResetModel()

    @property
    def total(self) -> int:
        """Rows before the filter."""
        return len(self.columns[0].values) if self.columns else 0

    @property
    def names(self) -> list[str]:
        """What a filter can compare."""
        return [column.name for column in self.columns if self._numbers(column) is not None]

    def _numbers(self, column: ArrayColumn) -> NDArray[Any] | None:
        """What a comparison looks at; ids that are numbers can be compared too, other texts cannot."""
        if not isinstance(column.values, TextColumn):
            return column.values
        if column.name not in self._ids:
            self._ids[column.name] = numbers_of(column.values)
        return self._ids[column.name]

    def set_filter(self, text: str) -> None:
        """Show the rows for which all of ``text`` holds. Raises ``QueryError`` and then shows what it showed."""
        query = parse(text, self.names)
        if query == self.query:
            return
        self.beginResetModel()
        self.query = query
        self._keep = self._kept()
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1: the file's order."""
        is_known = 0 <= column < len(self.columns)
        wanted = (self.columns[column].name, order == Qt.SortOrder.DescendingOrder) if is_known else None
        if wanted == self.sorted_by:
            return
        self.beginResetModel()
        self.sorted_by = wanted
        self._arrange()
        self.endResetModel()

    def _kept(self) -> NDArray[np.bool_] | None:
        """Rows that the query keeps; None where it keeps all."""
        if not self.columns:
            return None
        texts = [column.values for column in self.columns if isinstance(column.values, TextColumn)]
        asked = {part.column for part in self.query.comparisons}
        numbers = {column.name: self._numbers(column) for column in self.columns if column.name in asked}
        # `parse` knows only columns that have numbers.
        known = {name: values for name, values in numbers.items() if values is not None}
        return rows_kept(self.query, texts, known, self.total)

    def _arrange(self) -> None:
        if self.sorted_by is None:
            order = np.arange(self.total)
        elif (order_ := self._orders.get(self.sorted_by)) is not None:
            order = order_
        else:
            name, is_descending = self.sorted_by
            keys = next(column for column in self.columns if column.name == name).keys
            order = self._orders[self.sorted_by] = argsort(keys, is_descending)
        self.rows = order if self._keep is None else order[self._keep[order]]

    def row_of(self, number: int) -> int:
        """Where row ``number`` of the columns is shown; -1 where the filter hides it."""
        found = np.flatnonzero(self.rows == number)
        return int(found[0]) if len(found) else -1

    # --- Qt's side

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            value = plain(self.columns[index.column()].values[int(self.rows[index.row()])])
            return value if isinstance(value, str) else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.alignment(index.column())
        return None

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        shown = self.columns[column]
        value = plain(shown.values[int(self.rows[row])])
        if shown.text is not None:
            return shown.text(value)
        return value if isinstance(value, str) else as_text(value)

    def alignment(self, column: int) -> int:
        """Texts to the left, numbers to the right, as Qt's number."""
        return _LEFT if self.columns[column].is_text else _RIGHT

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            filters = f"Filter: {column.name}" + (" contains a word" if column.is_text else f">10, {column.name}=0 …")
            return f"{column.tip}\n{filters}".strip()
        return self.alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def csv_parts(self) -> Iterator[str]:
        """The rows as they are shown, numbers unrounded, in pieces."""
        columns, rows = self.columns, self.rows
        return csv_parts(
            [column.title for column in columns],
            lambda row: [plain(column.values[int(rows[row])]) for column in columns],
            len(rows),
        )


def argsort(keys: NDArray[Any], is_descending: bool = False) -> NDArray[np.int64]:
    """Rows in ascending or descending order of ``keys`` [R], equal ones in their own order.

    Whole numbers are sorted by 16 bits at a time, which numpy does in linear time.
    """
    if keys.dtype == bool:
        keys = keys.astype(np.uint8)
    if keys.dtype.kind not in "iu" or not len(keys):
        return np.argsort(-keys if is_descending else keys, kind="stable")
    low, high = int(keys.min()), int(keys.max())
    if high - low >= 1 << 62:
        return np.argsort(-keys if is_descending else keys, kind="stable")
    left = (high - keys.astype(np.int64)) if is_descending else (keys.astype(np.int64) - low)
    span = high - low
    order = np.argsort((left % _DIGIT).astype(np.uint16), kind="stable")
    while span >= _DIGIT:
        span //= _DIGIT
        left //= _DIGIT
        order = order[np.argsort((left % _DIGIT).astype(np.uint16)[order], kind="stable")]
    return order
