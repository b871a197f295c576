"""'Show as table': the numbers behind a plot, in a window that does not block, ready to be copied or saved as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from workbench.theme import SPACE, Theme, set_role
from workbench.widgets.save_dialog import ask_where

Index = QModelIndex | QPersistentModelIndex
Columns = Sequence[tuple[str, Sequence[Any] | NDArray[Any]]]
"""Header and values, one pair a column; columns of unequal length end in blanks. Arrays may stand for sequences."""
WIDEST = 320
"""Pixels of a column at first; a long title would push the numbers out of sight."""
WIDEST_WINDOW = 1000
ROWS_AT_ONCE = 1000
"""Rows written as CSV between two turns of the event loop: some ten milliseconds."""


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
        return _alignment(value) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        is_column = orientation == Qt.Orientation.Horizontal
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section][0] if is_column else str(section + 1)
        if role == Qt.ItemDataRole.TextAlignmentRole and is_column:
            values = self._columns[section][1]
            return _alignment(values[0] if len(values) else "")  # as the cells below it
        return None

    def csv_parts(self) -> Iterator[str]:
        """The whole table with its header, numbers unrounded, in pieces of `ROWS_AT_ONCE` rows."""
        return csv_parts(
            [name for name, _ in self._columns],
            lambda row: [plain(values[row]) if row < len(values) else "" for _, values in self._columns],
            self._rows,
        )

    def as_csv(self) -> str:
        """The whole table, numbers unrounded."""
        return "".join(self.csv_parts())


def csv_parts(header: Sequence[str], row_values: Callable[[int], Sequence[object]], rows: int) -> Iterator[str]:
    """A table as CSV in pieces: the header with the first rows, then `ROWS_AT_ONCE` rows each."""
    for begin in range(0, max(rows, 1), ROWS_AT_ONCE):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if begin == 0:
            writer.writerow(header)
        writer.writerows(row_values(row) for row in range(begin, min(begin + ROWS_AT_ONCE, rows)))
        yield text.getvalue()


def _alignment(value: object) -> int:
    """Numbers to the right, where their last digits are; texts to the left."""
    side = Qt.AlignmentFlag.AlignLeft if isinstance(value, str) else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def plain(value: object) -> object:
    """A number of numpy as Python's own, anything else as it is."""
    return value.item() if hasattr(value, "item") else value


def as_text(value: object) -> str:
    """A number for reading: floats with four significant digits at least, thousands set apart."""
    value = plain(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.4g}"
    return "" if value is None else str(value)


class CsvOut(QObject):
    """Copies or saves a table as CSV, a piece a turn of the event loop: a hundred thousand rows hold nothing up.

    ``title`` names the file, ``parts`` are asked when it begins.
    """

    told = Signal(str)
    """What is going on, and how it ended."""

    def __init__(self, parent: QWidget, title: Callable[[], str], parts: Callable[[], Iterator[str]]) -> None:
        super().__init__(parent)
        self._window, self._title, self._ask = parent, title, parts
        self._parts: Iterator[str] = iter(())
        self._written: list[str] = []
        self._finish: Callable[[str], None] = self._to_clipboard
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._write_more)

    def copy(self) -> None:
        """Put the whole table on the clipboard as CSV."""
        self._begin(self._to_clipboard)

    def ask_where(self) -> None:
        """Ask for a file and save the whole table there as CSV."""
        title = self._title()
        ask_where(self._window, f"Save '{title}'", f"{title}.csv", "CSV (*.csv)", self.save)

    def save(self, path: str) -> None:
        """Write the whole table to ``path`` as CSV."""
        self._begin(lambda text: self._to_file(Path(path), text))

    def _begin(self, finish: Callable[[str], None]) -> None:
        self._parts, self._written, self._finish = self._ask(), [], finish
        self.told.emit("Writing …")
        self._timer.start(0)

    def _write_more(self) -> None:
        part = next(self._parts, None)
        if part is not None:
            self._written.append(part)
            return
        self._timer.stop()
        text, self._written = "".join(self._written), []
        self._finish(text)

    def _to_clipboard(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.told.emit("Copied.")

    def _to_file(self, path: Path, text: str) -> None:
        beside = path.with_name(path.name + ".part")
        try:
            beside.write_text(text, encoding="utf-8", newline="")
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            self.told.emit(f"{path.name} cannot be written: {error.strerror or error}. Choose another folder.")
            return
        self.told.emit(f"Saved as {path.name}.")


class TableWindow(QDialog):
    """A non-modal window with a table. Ctrl+C copies it as CSV, Ctrl+S saves it; neither holds the window up."""

    def __init__(self, title: str, columns: Columns, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 520)
        self.model = ColumnsModel(columns)
        self.csv = CsvOut(self, lambda: title, self.model.csv_parts)
        self.view = QTableView()
        self.told = QLabel(f"{self.model.rowCount():,} rows")
        self.copy_button, self.save_button = QPushButton("Copy as CSV"), QPushButton("Save as CSV …")
        self._arrange(title, theme)
        self.csv.told.connect(self.told.setText)
        self.copy_button.clicked.connect(self.csv.copy)
        self.save_button.clicked.connect(self.csv.ask_where)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self, self.csv.copy)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Save), self, self.csv.ask_where)

    def _arrange(self, title: str, theme: Theme) -> None:
        view = self.view
        view.setModel(self.model)
        view.setAlternatingRowColors(True)
        view.setShowGrid(False)
        view.setTabKeyNavigation(False)
        view.setAccessibleName(title)
        view.horizontalHeader().setStretchLastSection(True)
        # Headers and the first rows decide the widths; a hundred thousand rows are not measured.
        view.horizontalHeader().setResizeContentsPrecision(20)
        heading = QLabel(title)
        set_role(heading, "title")
        set_role(self.told, "muted")
        theme.follow_icon(self.copy_button, "copy")
        theme.follow_icon(self.save_button, "download")
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addWidget(self.told, 1)
        for button in (self.copy_button, self.save_button, close):
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(heading)
        layout.addWidget(view, 1)
        layout.addLayout(foot)
        view.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Not before: only now the style sheet says how large the letters and how wide the cells' edges are.
        self.view.ensurePolished()
        self.view.horizontalHeader().ensurePolished()
        self.view.resizeColumnsToContents()
        for column in range(self.model.columnCount() - 1):  # the last one takes what is left
            self.view.setColumnWidth(column, min(self.view.columnWidth(column), WIDEST))
        missing = self.view.horizontalHeader().length() - self.view.viewport().width()
        if missing > 0:
            self.resize(min(self.width() + missing, WIDEST_WINDOW), self.height())


def show_as_table_button(
    theme: Theme, title: Callable[[], str], columns: Callable[[], Columns], parent: QWidget | None = None
) -> QPushButton:
    """The button that stands beside every plot; ``columns`` is asked when it is pressed."""
    button = QPushButton("Show as table", parent)
    theme.follow_icon(button, "table", "muted")
    button.setAccessibleName("Show the plot's numbers as a table")
    button.setToolTip("The numbers behind the plot, to read, to copy (Ctrl+C) or to save as CSV (Ctrl+S)")

    def show() -> None:
        window = TableWindow(title(), columns(), theme, button.window())
        window.show()

    button.clicked.connect(show)
    return button
