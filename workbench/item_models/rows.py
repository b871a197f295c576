"""A read-only table over frozen records: columns are functions of a record, so one model serves every list."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from workbench.widgets.tables import as_text

Index = QModelIndex | QPersistentModelIndex

SHARE = int(Qt.ItemDataRole.UserRole) + 1
"""A number from 0 to 1 that a delegate draws as a bar, where the column has one."""


@dataclass(frozen=True)
class Column:
    """``value`` of a record; ``text`` to show instead of it; ``share`` 0…1 for a bar; ``tip`` for the header, ``about``
    for a cell (a text's own tip is itself)."""

    title: str
    value: Callable[[Any], object]
    text: Callable[[Any], str] | None = None
    share: Callable[[Any], float] | None = None
    tip: str = ""
    about: Callable[[Any], str] | None = None


class RowsModel(QAbstractTableModel):
    """Rows are records, given whole by `set_rows`."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.rows: Sequence[Any] = ()

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show other records."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        column, record = self.columns[index.column()], self.rows[index.row()]
        value = column.value(record)
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(record) if column.text else as_text(value)
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(value, str):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == SHARE and column.share is not None:
            return column.share(record)
        if role == Qt.ItemDataRole.ToolTipRole and (column.about or isinstance(value, str)):
            return column.about(record) if column.about else value
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.columns[section].tip or None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            is_left = not self.rows or self._is_text(section)
            side = Qt.AlignmentFlag.AlignLeft if is_left else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _is_text(self, section: int) -> bool:
        return isinstance(self.columns[section].value(self.rows[0]), str)

    def as_csv(self) -> str:
        """The whole table, numbers unrounded."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.title for column in self.columns])
        writer.writerows([column.value(record) for column in self.columns] for record in self.rows)
        return text.getvalue()
