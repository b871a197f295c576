"""'Show as table': the numbers behind a plot, in a window that does not block, ready to be copied or saved as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from workbench.theme import SPACE, Theme, set_role

Index = QModelIndex | QPersistentModelIndex
Columns = Sequence[tuple[str, Sequence[object]]]
"""Header and values, one pair a column; columns of unequal length end in blanks."""


class ColumnsModel(QAbstractTableModel):
    """Read-only table over columns; nothing is copied, so a hundred thousand rows open at once."""

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self._columns = columns
        self._rows = max((len(values) for _, values in columns), default=0)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        values = self._columns[index.column()][1]
        if index.row() >= len(values):
            return None
        value = values[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return as_text(value)
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(value, str):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._columns[section][0] if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def as_csv(self) -> str:
        """The whole table, numbers unrounded."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([name for name, _ in self._columns])
        for row in range(self._rows):
            writer.writerow([values[row] if row < len(values) else "" for _, values in self._columns])
        return text.getvalue()


def as_text(value: object) -> str:
    """A number for reading: floats with four significant digits at least, thousands set apart."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.4g}"
    return "" if value is None else str(value)


class TableWindow(QDialog):
    """A non-modal window with a table; Ctrl+C or the button copies it as CSV."""

    def __init__(self, title: str, columns: Columns, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 520)
        self.model = ColumnsModel(columns)
        self.view = QTableView()
        self.view.setModel(self.model)
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setAccessibleName(title)
        self.view.horizontalHeader().setStretchLastSection(True)
        # Headers and the first rows decide the widths; a hundred thousand rows are not measured.
        self.view.horizontalHeader().setResizeContentsPrecision(50)
        self.view.resizeColumnsToContents()
        heading = QLabel(title)
        set_role(heading, "title")
        self.copied = QLabel(f"{self.model.rowCount():,} rows")
        set_role(self.copied, "muted")
        copy = QPushButton("Copy as CSV")
        theme.follow_icon(copy, "copy")
        copy.clicked.connect(self.copy)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addWidget(self.copied)
        foot.addStretch(1)
        foot.addWidget(copy)
        foot.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(heading)
        layout.addWidget(self.view, 1)
        layout.addLayout(foot)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self, self.copy)

    def copy(self) -> None:
        """Put the whole table on the clipboard as CSV."""
        QGuiApplication.clipboard().setText(self.model.as_csv())
        self.copied.setText("Copied.")


def show_as_table_button(
    theme: Theme, title: Callable[[], str], columns: Callable[[], Columns], parent: QWidget | None = None
) -> QPushButton:
    """The button that stands beside every plot; ``columns`` is asked when it is pressed."""
    button = QPushButton("Show as table", parent)
    theme.follow_icon(button, "table", "muted")
    button.setAccessibleName("Show the plot's numbers as a table")

    def show() -> None:
        window = TableWindow(title(), columns(), theme, button.window())
        window.show()

    button.clicked.connect(show)
    return button
