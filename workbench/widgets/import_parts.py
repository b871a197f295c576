"""What the import dialog is made of: the first rows, what each step leaves, and the rows that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from engine.config import recipe_fields
from engine.records import NO_COLUMN, BadRow, ImportLook, ImportReport
from workbench.item_models.rows import Column, RowsModel
from workbench.theme import SMALL, Theme
from workbench.widgets.cards import Card
from workbench.widgets.layout import label
from workbench.widgets.tables import ColumnsModel, show_as_table_button

ROLES = ("user", "item", "rating", "time")
_WIDEST = 320
_BAD_COLUMNS = (
    Column("Line", lambda row: row.line, tip="Counted from 1; a header is line 1"),
    Column("What is wrong", lambda row: in_form_words(row.reason)),
)
_STAGE_COLUMNS = (
    Column("After", lambda stage: stage.label, tip="The steps in the order in which they are done"),
    Column("Users", lambda stage: stage.users),
    Column("Items", lambda stage: stage.items),
    Column("Actions", lambda stage: stage.actions),
)


_OPTION = re.compile(r"--([a-z][a-z-]*)(?: (COLUMN|-|[a-z0-9][a-z0-9_-]*)(?=[ .,)]|$))?")


def in_form_words(text: str) -> str:
    """A sentence of the engine with the form's fields in the place of options: ``--rating -`` is 'Rating' none."""
    known = {info.path: info for info in recipe_fields()}

    def field(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in known:
            return found[0]
        said = f"'{known[name].label}'"
        if value in (None, "COLUMN"):
            return said
        shown = "none" if value == NO_COLUMN else known[name].choices.get(value)
        return f"{said} {shown}" if shown else f"{said} {value}"

    return _OPTION.sub(field, text)


class _Table(QTableView):
    """Read-only, by rows, as high as ``rows`` rows; Tab leaves it."""

    def __init__(self, name: str, rows: int) -> None:
        super().__init__()
        self._rows = rows
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(QFontMetrics(self.font()).height() + 10)
        self.horizontalHeader().setResizeContentsPrecision(50)
        self.setMinimumHeight(self._height(rows))

    def _height(self, rows: int) -> int:
        # A style sheet's header is higher than a row; it has its height only once it has columns.
        head = max(self.horizontalHeader().sizeHint().height(), self.verticalHeader().defaultSectionSize() + SMALL)
        return rows * self.verticalHeader().defaultSectionSize() + head + 2 * self.frameWidth() + 2

    def fit(self) -> None:
        """Columns as wide as what is in them."""
        self.resizeColumnsToContents()
        for column in range(self.model().columnCount() - 1):  # the last one takes what is left
            self.setColumnWidth(column, min(self.columnWidth(column) + 2 * SMALL, _WIDEST))


class Preview(_Table):
    """The first rows of the file; the header says which column has which role."""

    def __init__(self) -> None:
        super().__init__("First rows of the file", 3)
        self.horizontalHeader().setStretchLastSection(True)
        self.set_rows(5)

    def set_rows(self, count: int) -> None:
        """As high as so many rows at most."""
        self.setMaximumHeight(self._height(count))

    def show_look(self, look: ImportLook, recipe: Mapping[str, Any]) -> None:
        """Show the rows with the roles that ``recipe`` gives to the columns."""
        roles = {look.title: "title"} | {str(recipe[role]): role for role in reversed(ROLES)}
        columns = []
        for place, column in enumerate(look.columns):
            role = f"  →  {roles[column.name]}" if column.name in roles else ""
            # A row of the table has one line; what a value's other lines say would be cut off.
            values = [row[place].replace("\n", " ⏎ ") if place < len(row) else "" for row in look.rows]
            columns.append((f"{column.name}{role}\n{column.kind}", values))
        old = self.model()
        self.setModel(ColumnsModel(columns))
        if old is not None:
            old.deleteLater()
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.fit()


class StageTable(_Table):
    """Users, items and actions after each step of the preprocessing."""

    def __init__(self) -> None:
        super().__init__("What each step leaves", 5)
        self.rows_model = RowsModel(_STAGE_COLUMNS)
        self.setModel(self.rows_model)
        self.setMaximumHeight(self._height(5))
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_report(self, report: ImportReport | None) -> None:
        """Show the steps; None: nothing is known yet."""
        self.rows_model.set_rows(report.stages if report else ())
        for column in range(1, 4):
            self.resizeColumnToContents(column)


class BadRows(QWidget):
    """How many rows cannot be used, and how many are used without their title; the first thousand with their lines."""

    def __init__(self, most: int = 6) -> None:
        """``most``: rows that are seen without scrolling the list."""
        super().__init__()
        self._most = most
        self.heading = label("", "note-warn", wrap=True)
        self.table = _Table("Rows that cannot be used", 1)
        self.rows_model = RowsModel(_BAD_COLUMNS)
        self.table.setModel(self.rows_model)
        self.table.horizontalHeader().setStretchLastSection(True)
        self._head = QHBoxLayout()
        self._head.setSpacing(SMALL)
        self._head.addWidget(self.heading, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL)
        layout.addLayout(self._head)
        layout.addWidget(self.table)
        self.hide()

    def add_choice(self, widget: QWidget) -> None:
        """Something to choose about the rows, beside the sentence."""
        self._head.addWidget(widget)

    def show_report(self, report: ImportReport | None, *, skips: bool) -> None:
        """List the bad rows; hidden where there are none. ``skips``: whether the recipe goes on without them."""
        rows = listed(report)
        self.setVisible(bool(rows))
        self.rows_model.set_rows(rows)
        self.table.resizeColumnToContents(0)
        self.table.setFixedHeight(self.table._height(min(len(rows), self._most)))
        if report is None:
            return
        lines = []
        if count := report.bad_count:
            then = "The others are imported." if skips else f"The import stops at {'it' if count == 1 else 'them'}."
            lines.append(f"{count:,} of {report.rows:,} rows cannot be used. {then}")
        if count := report.bad_title_count:
            lines.append(f"{count:,} {'row is' if count == 1 else 'rows are'} used without a title.")
        if report.bad_count + report.bad_title_count > len(rows):
            lines.append(f"The first {len(rows):,} are listed.")
        self.heading.setText(" ".join(lines))


def listed(report: ImportReport | None) -> tuple[BadRow, ...]:
    """Rows that cannot be used, then those whose title cannot."""
    return (*report.bad_rows, *report.bad_titles) if report else ()


class ImportReportCard(Card):
    """How an imported data set came about: for the page that shows it. Hidden until there is a report."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Import", "What was read, and what each step of the recipe has left of it")
        self.report: ImportReport | None = None
        self.summary = label("", "muted", wrap=True)
        self.stages = StageTable()
        self.bad = BadRows()
        self.as_table = show_as_table_button(theme, lambda: "Bad rows", self._columns, self)
        for widget in (self.summary, self.stages, self.bad):
            self.body.addWidget(widget)
        self.add_control(self.as_table)
        self.hide()

    def _columns(self) -> list[tuple[str, list[object]]]:
        rows = listed(self.report)
        return [("Line", [row.line for row in rows]), ("Why", [row.reason for row in rows])]

    def show_report(self, report: ImportReport | None) -> None:
        """Show a report; None hides the whole view."""
        self.report = report
        self.setVisible(report is not None)
        self.stages.show_report(report)
        self.bad.show_report(report, skips=True)
        self.as_table.setVisible(bool(listed(report)))
        if report is not None:
            notes = map(in_form_words, report.notes)
            titles = [f"{report.titled:,} items have a title."] if report.titled else []
            self.summary.setText(" ".join([f"{report.rows:,} rows were read.", *titles, *notes]))


def options_in(text: str) -> set[str]:
    """Names of the recipe's settings that a sentence of the engine gives as options.

    >>> options_in("byte 1 of the line is not UTF-8 text (--encoding latin-1 reads any)")
    {'encoding'}
    """
    return {found[1] for found in _OPTION.finditer(text)}


def bad_rows_words(count: int, *, stops: bool) -> str:
    """What happens to the rows that cannot be used.

    >>> bad_rows_words(1, stops=True)
    '1 cannot be used: it is listed. Leave it out, or mend the file.'
    >>> bad_rows_words(1200, stops=False)
    '1,200 cannot be used: they are listed. They are left out.'
    """
    are, them = ("it is", "it") if count == 1 else ("they are", "them")
    then = f"Leave {them} out, or mend the file" if stops else f"{are.capitalize()} left out"
    return f"{count:,} cannot be used: {are} listed. {then}."
