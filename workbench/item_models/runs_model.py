"""The table of runs: rows from the run book, filtered, sorted and grouped here, updated row by row as news arrives.

A row's key is a run's id, or ``group:`` and a number for the runs that differ in their seed alone. Ten thousand runs
are filtered and sorted in some ten milliseconds: what that needs is made once a run (`workbench.run_lines`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal, Slot

from engine.records import RunRecord, RunStatus, Shelf
from workbench.item_models.run_columns import (
    COLUMN_IDS,
    COLUMNS,
    Column,
    delta_text,
    progress_of,
    progress_words,
    spread_text,
    states_text,
)
from workbench.item_models.run_filter import parse_filter
from workbench.item_models.run_groups import counting, group_tip, seeds_text
from workbench.item_models.run_looks import DrawnLooks
from workbench.item_models.run_order import SLICE_SECONDS, Arrangement, RunOrder, best_so_far, group_key, sort_key
from workbench.run_book import RunBook
from workbench.widgets.text import metric_text

__all__ = ["COLUMNS", "COLUMN_IDS", "RunsModel"]

Index = QModelIndex | QPersistentModelIndex
ID_ROLE = Qt.ItemDataRole.UserRole
RECORD_ROLE = Qt.ItemDataRole.UserRole + 1
ORDER_ROLE = Qt.ItemDataRole.UserRole + 2
SORT_ROLE = Qt.ItemDataRole.UserRole + 3
GROUP_ROLE = Qt.ItemDataRole.UserRole + 4
"""(number of runs, whether they are shown below) of a group's row; (0, False) for a run below one; else None."""
STAR_ROLE = Qt.ItemDataRole.UserRole + 5
PROGRESS_ROLE = Qt.ItemDataRole.UserRole + 6
"""Share from 0 to 1 of the row's work that is done, of a group over all its runs; None while none has begun."""
STATE_ROLE = Qt.ItemDataRole.UserRole + 7
"""The state of all runs of the row; None where they differ."""
OWN_ROLES = frozenset(
    int(role)
    for role in (ID_ROLE, RECORD_ROLE, ORDER_ROLE, SORT_ROLE, GROUP_ROLE, STAR_ROLE, PROGRESS_ROLE, STATE_ROLE)
)
ANSWERED = OWN_ROLES | {
    int(role)
    for role in (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.CheckStateRole,
        Qt.ItemDataRole.TextAlignmentRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.AccessibleTextRole,
    )
}
DISPLAY, CHECK, ALIGNMENT = (
    int(role)
    for role in (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.CheckStateRole,
        Qt.ItemDataRole.TextAlignmentRole,
    )
)
"""As numbers: what a view hands over, compared without asking an enumeration."""
_PLAIN = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_TICKABLE = _PLAIN | Qt.ItemFlag.ItemIsUserCheckable
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
MOST_STEPS = 64
"""Rows that come or go one after another; beyond, the table is filled anew."""

MANY = 1000
"""From this many runs on, news that come one after another are arranged together."""
LATER_MS = 120


class RunsModel(QAbstractTableModel):
    """Ticks choose the runs whose curves are drawn; `ticked_changed` tells."""

    ticked_changed = Signal()
    counts_changed = Signal()

    def __init__(self, book: RunBook) -> None:
        super().__init__()
        self._book = book
        self._rows: list[str] = []
        self._places: dict[str, int] = {}
        self._ticked: dict[str, None] = {}
        self._order = RunOrder(book)
        self._groups: dict[str, list[str]] = {}
        self._work: Iterator[Arrangement | None] | None = None
        self._next_slice = QTimer(self)
        self._next_slice.setSingleShot(True)
        self._next_slice.timeout.connect(self._go_on)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._rearrange)
        book.records_changed.connect(self._take)
        book.marks_changed.connect(self._take_marks)
        book.purged.connect(self._take_purged)
        book.curves_changed.connect(self._take_curves)
        self.looks = DrawnLooks(self)
        self._arrange(self._order.arrangement())

    # What is shown --------------------------------------------------------------------------------------------------

    @property
    def book(self) -> RunBook:
        return self._book

    @property
    def ticked(self) -> list[str]:
        """Ids of the ticked runs, in the order of ticking."""
        return list(self._ticked)

    @property
    def ids(self) -> list[str]:
        """Keys of the rows, in their order."""
        return list(self._rows)

    @property
    def sorting(self) -> tuple[str, bool]:
        """Id of the column that sorts, and whether it ascends."""
        return COLUMN_IDS[self._order.column], not self._order.is_descending

    @property
    def shelf(self) -> Shelf:
        return self._order.shelf

    @property
    def is_grouped(self) -> bool:
        return self._order.is_grouped

    def runs_of(self, key: str) -> list[str]:
        """Ids of the runs that a row stands for."""
        return self._groups.get(key, [] if key.startswith("group:") else [key])

    def set_ticked(self, run_ids: Collection[str]) -> None:
        """Tick exactly these."""
        wanted = dict.fromkeys(run_ids)
        if list(wanted) == list(self._ticked):
            return
        changed = wanted.keys() ^ self._ticked.keys()
        self._ticked = wanted
        self._checks_changed(changed)
        self.ticked_changed.emit()

    def toggle(self, key: str) -> None:
        """Tick or untick a row: a group with all its runs."""
        runs = self.runs_of(key)
        others = [item for item in self._ticked if item not in runs]
        self.set_ticked(others if all(run in self._ticked for run in runs) else [*others, *runs])

    def set_filter(self, text: str) -> None:
        """Show the runs for which all of ``text`` holds. Raises `QueryError` and then shows what it showed."""
        self._order.set_filter(parse_filter(text))
        self._rearrange()

    def set_shelf(self, shelf: Shelf) -> None:
        """Show the runs in use, the archived ones, or the trash."""
        if shelf is not self._order.shelf:
            self._order.shelf = shelf
            self._rearrange()

    def set_grouped(self, is_grouped: bool) -> None:
        """One row for all runs that differ in their seed alone, or one a run."""
        if is_grouped != self._order.is_grouped:
            self._order.is_grouped = is_grouped
            self._rearrange()

    def set_open(self, key: str, is_open: bool) -> None:
        """Show a group's runs below it, or hide them."""
        if key in self._groups and is_open != self.is_open(key):
            self._order.open ^= {key}
            self._rearrange()

    def is_open(self, key: str) -> bool:
        """Whether a group's runs are shown below it."""
        return key in self._order.open

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._order.sort_by(column, is_descending=order == Qt.SortOrder.DescendingOrder)
        self._rearrange()

    def row_of(self, key: str) -> int | None:
        """The row of a run (or its group's, where it is hidden in one); None when it is filtered out."""
        row = self._places.get(key)
        return self._places.get(self.group_of(key)) if row is None else row

    def group_of(self, run_id: str) -> str:
        """Key of the group whose row stands for the run; empty where runs stand alone, or the run is filtered out."""
        if not self._groups or self._book.get(run_id) is None:
            return ""
        key = group_key(self._book, run_id)
        return key if run_id in self._groups.get(key, ()) else ""

    def key(self, row: int) -> str:
        """The row's key; empty beyond the last one."""
        return self._rows[row] if 0 <= row < len(self._rows) else ""

    def record(self, row: int) -> RunRecord | None:
        """The record of a row; of a group, its newest run's."""
        runs = self.runs_of(self.key(row)) if 0 <= row < len(self._rows) else []
        return self._book.get(runs[0]) if runs else None

    def name_of(self, key: str) -> str:
        """What a row is called: of a group, without a seed."""
        records = self._records(key)
        if not records:
            return ""
        return self._book.name_of_group(records) if key in self._groups else self._book.name(records[0])

    def order_of(self, key: str) -> int:
        """The look that a row has in every plot."""
        return self.looks.of(key)

    def _records(self, key: str) -> list[RunRecord]:
        return [record for run_id in self.runs_of(key) if (record := self._book.get(run_id)) is not None]

    def _text(self, record: RunRecord, column: Column) -> str:
        best = best_so_far(record, column, self._book)
        return column.text(record, self._book) if best is None else metric_text(best)

    def _group_text(self, runs: Sequence[RunRecord], column: Column) -> str:
        if column.is_averaged:
            values = [sort_key(record, column, self._book) for record in counting(self._book, runs)]
            if not column.id.startswith("delta/"):
                return spread_text(values)
            known = [value for value in values if value is not None]
            return f"{delta_text((sum(known) / len(known), 0.0))} ({len(known)})" if known else ""
        if column.id == "seed":
            return seeds_text(self._book, runs)
        texts = {self._text(record, column) for record in runs}
        return texts.pop() if len(texts) == 1 else ("various" if column.id == "status" else "")

    # News -----------------------------------------------------------------------------------------------------------

    def _take(self, records: Collection[RunRecord]) -> None:
        self._news_of([record.id for record in records])

    def _take_marks(self, run_ids: Collection[str]) -> None:
        self._news_of(list(run_ids))

    def _news_of(self, run_ids: Sequence[str]) -> None:
        """Arrange anew only where the place or the presence of a run may have changed."""
        before = self._order.forget(run_ids)
        if len(self._book) >= MANY:
            if any(self._is_elsewhere(run_id, before[run_id]) for run_id in run_ids):
                if not self._rows:
                    self._rearrange()
                elif not self._later.isActive():
                    self._later.start()
            self._rows_changed(run_ids)
            self.counts_changed.emit()
            return
        wanted = self._order.arrangement()
        if wanted.rows != self._rows:
            self._arrange(wanted)
        self._groups = wanted.groups
        self._rows_changed(run_ids)
        self.counts_changed.emit()

    def _is_elsewhere(self, run_id: str, before: Any) -> bool:
        record = self._book.get(run_id)
        if record is None or self.is_grouped:
            return True
        is_here = run_id in self._places
        return self._order.keeps(run_id) != is_here or (is_here and self._order.key(record) != before)

    def _take_purged(self, run_ids: Collection[str]) -> None:
        self._order.forget(run_ids)
        self._rearrange()
        self.set_ticked([run_id for run_id in self._ticked if run_id not in run_ids])

    def _rows_changed(self, run_ids: Any) -> None:
        ids = [run_id for run_id in run_ids if self.is_grouped or run_id in self._places]
        if len(ids) > MOST_STEPS:
            self._all_changed(0, [])
            return
        for row in self._rows_of(ids):
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def _rows_of(self, run_ids: Collection[str]) -> set[int]:
        """Where the runs stand, and where the groups do that they are in."""
        keys = {*run_ids, *map(self.group_of, run_ids)}
        return {row for key in keys if (row := self._places.get(key)) is not None}

    def _take_curves(self, run_ids: set[str]) -> None:
        """A running run's best value so far comes from its curve."""
        self._order.forget_keys(run_ids)
        running = [run_id for run_id in run_ids if self._is_running(run_id)]
        rows = [row for run_id in running if (row := self._places.get(run_id)) is not None]
        for column in (number for number, column in enumerate(COLUMNS) if column.series):
            for row in rows:
                self.dataChanged.emit(self.index(row, column), self.index(row, column))

    def _is_running(self, run_id: str) -> bool:
        record = self._book.get(run_id)
        return record is not None and record.status is RunStatus.RUNNING

    def _rearrange(self) -> None:
        self._later.stop()
        self._work = self._order.in_slices(SLICE_SECONDS if len(self._book) >= MANY else float("inf"))
        self._go_on()

    @Slot()
    def _go_on(self) -> None:
        """One slice of arranging the rows; whoever asks for another arrangement meanwhile begins anew."""
        if self._work is None:
            return
        found = next(self._work)
        if found is None:
            self._next_slice.start(0)
            return
        self._work = None
        self._arrange(found)
        self.counts_changed.emit()

    def _set_rows(self, rows: list[str]) -> None:
        self._rows = rows
        self._places = {key: row for row, key in enumerate(rows)}

    def _arrange(self, found: Arrangement) -> None:
        """Insert and remove rows, then permute: selection and scrolling survive. Where most is new, fill it anew."""
        wanted, self._groups = found.rows, found.groups
        held = len(self._rows)
        if not self._groups and len(wanted) > held > 0 and wanted[:held] == self._rows:
            # Older runs of a store that is still being read: what is in sight stays as it is. (A group may have grown.)
            self.beginInsertRows(QModelIndex(), held, len(wanted) - 1)
            self._set_rows(wanted)
            self.endInsertRows()
            return
        kept = set(wanted)
        gone = [row for row, key in enumerate(self._rows) if key not in kept]
        new = [key for key in wanted if key not in self._places]
        if len(gone) > MOST_STEPS or len(new) > MOST_STEPS:
            self.beginResetModel()
            self._set_rows(wanted)
            self.endResetModel()
            return
        for row in reversed(gone):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._rows[row]
            self.endRemoveRows()
        if new:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(new) - 1)
            self._rows.extend(new)
            self.endInsertRows()
        if self._rows != wanted:
            self.layoutAboutToBeChanged.emit()
            before = self.persistentIndexList()
            places = {key: row for row, key in enumerate(wanted)}
            after = [self.index(places[self._rows[index.row()]], index.column()) for index in before]
            self._rows = wanted
            self.changePersistentIndexList(before, after)
            self.layoutChanged.emit()
        self._set_rows(self._rows)
        self._all_changed(0, [])

    def _checks_changed(self, run_ids: Collection[str]) -> None:
        """Cell by cell where they are few: of a range of cells a view paints every column anew."""
        if len(run_ids) > MOST_STEPS:
            self._all_changed(0, [Qt.ItemDataRole.CheckStateRole])
            return
        for row in self._rows_of(run_ids):
            self.dataChanged.emit(self.index(row, 0), self.index(row, 0), [Qt.ItemDataRole.CheckStateRole])

    def _all_changed(self, column: int, roles: list[int]) -> None:
        if self._rows:
            last = column if roles else len(COLUMNS) - 1
            self.dataChanged.emit(self.index(0, column), self.index(len(self._rows) - 1, last), roles)

    # Qt's side ------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return _TICKABLE if index.column() == 0 else _PLAIN

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        # A view asks for a dozen roles a cell, most of which have no answer here.
        return self.answer(index.row(), index.column(), role) if role in ANSWERED else None

    def text(self, row: int, column: int) -> str:
        """What the cell says."""
        return str(self.answer(row, column, DISPLAY) or "")

    def alignment(self, column: int) -> int:
        return _RIGHT if COLUMNS[column].is_number else _LEFT

    def answer(self, place: int, place_of_column: int, role: int) -> Any:
        """`data` without an index, for painting."""
        column = COLUMNS[place_of_column]
        if role == ALIGNMENT:
            return self.alignment(place_of_column)
        if not 0 <= place < len(self._rows) or (role == CHECK and column is not COLUMNS[0]):
            return None
        key = self._rows[place]
        if role == CHECK:
            return self._check_state(key)
        runs = self._groups.get(key)
        record = self._book.get(runs[0] if runs else key)
        if record is None:
            return None
        if role == DISPLAY:
            return self._cell(key, record, column)
        if role in OWN_ROLES:
            return self._own(key, record, column, role)
        return self._dressing(key, record, column, role)

    def _check_state(self, key: str) -> Qt.CheckState:
        runs = self.runs_of(key)
        ticked = sum(run in self._ticked for run in runs)
        some = Qt.CheckState.PartiallyChecked if ticked else Qt.CheckState.Unchecked
        return Qt.CheckState.Checked if ticked == len(runs) else some

    def _own(self, key: str, record: RunRecord, column: Column, role: int) -> Any:
        """What the delegates and the tests ask for."""
        if role == RECORD_ROLE:
            return record
        if role == ID_ROLE:
            return record.id
        if role == ORDER_ROLE:
            return self.order_of(key)
        if role == GROUP_ROLE:
            if key in self._groups:
                return len(self._groups[key]), self.is_open(key)
            return (0, False) if self.is_grouped else None
        if role == PROGRESS_ROLE:
            return progress_of(self._records(key))
        if role == STATE_ROLE:
            states = {run.status for run in self._records(key)}
            return states.pop() if len(states) == 1 else None
        if role == STAR_ROLE:
            return any(self._book.baselines.get(run.fingerprint) == run.id for run in self._records(key))
        return sort_key(record, column, self._book)

    def _cell(self, key: str, record: RunRecord, column: Column) -> str:
        if column.id == "name":
            return self.name_of(key)
        return self._group_text(self._records(key), column) if key in self._groups else self._text(record, column)

    def _dressing(self, key: str, record: RunRecord, column: Column, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole and key in self._groups:
            return group_tip(self._book, self.name_of(key), self._records(key))
        if role == Qt.ItemDataRole.ToolTipRole:
            mark = self._book.marks(record.id)
            told = f"{record.message} {record.hint}".strip()
            said = [f"{self._book.name(record)} · {record.id}", told, mark.note, ", ".join(mark.tags)]
            return "\n".join(filter(None, said))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if column.id == "progress":
                return progress_words(progress_of(self._records(key)))
            words = states_text(self._records(key)) if column.id == "status" else self._cell(key, record, column)
            return f"{column.title} {words}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or index.column() != 0 or not 0 <= index.row() < len(self._rows):
            return False
        key = self._rows[index.row()]
        if (Qt.CheckState(value) == Qt.CheckState.Checked) != all(run in self._ticked for run in self.runs_of(key)):
            self.toggle(key)
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip or column.title
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None
