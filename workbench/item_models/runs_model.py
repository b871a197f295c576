"""The table of runs: rows from the run book, filtered, sorted and grouped here, updated row by row as news arrives.

A row's key is a run's id, or ``group:`` and a number for the runs that differ in their seed alone. Ten thousand runs
are filtered and sorted in some ten milliseconds: what that needs is made once a run (`workbench.run_lines`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, QTimer, Signal

from engine.records import RunRecord, RunStatus, Shelf
from workbench.item_models.run_columns import (
    COLUMN_IDS,
    COLUMNS,
    Column,
    delta_text,
    progress_words,
    spread_text,
)
from workbench.item_models.run_filter import RunFilter, parse_filter
from workbench.run_book import RunBook
from workbench.run_names import run_name
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
OWN_ROLES = frozenset(int(role) for role in (ID_ROLE, RECORD_ROLE, ORDER_ROLE, SORT_ROLE, GROUP_ROLE, STAR_ROLE))
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
        self._filter = RunFilter()
        self._shelf = Shelf.SHOWN
        self._sort = (COLUMN_IDS.index("created"), Qt.SortOrder.DescendingOrder)
        self._is_grouped = False
        self._groups: dict[str, list[str]] = {}
        self._open: set[str] = set()
        self._keys: dict[str, Any] = {}
        """Run → what the sorting column says of it; forgotten when the run changes."""
        self._matching: dict[str, bool] = {}
        """Run → whether the filter keeps it; forgotten likewise."""
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self._rearrange)
        book.records_changed.connect(self._take)
        book.marks_changed.connect(self._take_marks)
        book.purged.connect(self._take_purged)
        book.curves_changed.connect(self._take_curves)
        self._set_rows(self._wanted())

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
        return COLUMN_IDS[self._sort[0]], self._sort[1] == Qt.SortOrder.AscendingOrder

    @property
    def shelf(self) -> Shelf:
        return self._shelf

    @property
    def is_grouped(self) -> bool:
        return self._is_grouped

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
        self._filter = parse_filter(text)
        self._matching.clear()
        self._rearrange()

    def set_shelf(self, shelf: Shelf) -> None:
        """Show the runs in use, the archived ones, or the trash."""
        if shelf is not self._shelf:
            self._shelf = shelf
            self._rearrange()

    def set_grouped(self, is_grouped: bool) -> None:
        """One row for all runs that differ in their seed alone, or one a run."""
        if is_grouped != self._is_grouped:
            self._is_grouped = is_grouped
            self._rearrange()

    def set_open(self, key: str, is_open: bool) -> None:
        """Show a group's runs below it, or hide them."""
        if key in self._groups and is_open != (key in self._open):
            self._open ^= {key}
            self._rearrange()

    def is_open(self, key: str) -> bool:
        """Whether a group's runs are shown below it."""
        return key in self._open

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if column != self._sort[0]:
            self._keys.clear()
        self._sort = (column, order)
        self._rearrange()

    def row_of(self, key: str) -> int | None:
        """The row of a run (or its group's, where it is hidden in one); None when it is filtered out."""
        row = self._places.get(key)
        if row is None and self._is_grouped:
            row = next((self._places[group] for group, runs in self._groups.items() if key in runs), None)
        return row

    def key(self, row: int) -> str:
        """The row's key; empty beyond the last one."""
        return self._rows[row] if 0 <= row < len(self._rows) else ""

    def record(self, row: int) -> RunRecord | None:
        """The record of a row; of a group, its newest run's."""
        runs = self.runs_of(self.key(row)) if 0 <= row < len(self._rows) else []
        return self._book.get(runs[0]) if runs else None

    def _best_so_far(self, record: RunRecord, column: Column) -> float | None:
        if not column.series or record.metrics or record.status is not RunStatus.RUNNING:
            return None
        return self._book.highest(record.id, column.series)

    def _text(self, record: RunRecord, column: Column) -> str:
        best = self._best_so_far(record, column)
        return column.text(record, self._book) if best is None else metric_text(best)

    def _sort_key(self, record: RunRecord, column: Column) -> Any:
        best = self._best_so_far(record, column)
        return column.sort(record, self._book) if best is None else best

    def _group_text(self, runs: Sequence[RunRecord], column: Column) -> str:
        if column.is_averaged:
            values = [self._sort_key(record, column) for record in runs]
            if not column.id.startswith("delta/"):
                return spread_text(values)
            known = [value for value in values if value is not None]
            return f"{delta_text((sum(known) / len(known), 0.0))} ({len(known)})" if known else ""
        texts = {self._text(record, column) for record in runs}
        if column.id == "seed":
            return f"{len(runs)} seeds" if len(runs) > 1 else texts.pop()
        return texts.pop() if len(texts) == 1 else ("various" if column.id == "status" else "")

    def _key_of(self, record: RunRecord) -> Any:
        """What the sorting column says of a run."""
        if record.id not in self._keys:
            self._keys[record.id] = self._sort_key(record, COLUMNS[self._sort[0]])
        return self._keys[record.id]

    def _group_key(self, runs: Sequence[str]) -> Any:
        column = COLUMNS[self._sort[0]]
        records = [record for run_id in runs if (record := self._book.get(run_id)) is not None]
        keys = [key for record in records if (key := self._key_of(record)) is not None]
        if not keys:
            return None
        return sum(keys) / len(keys) if column.is_averaged else keys[0]

    def _wanted(self) -> list[str]:
        book, matches = self._book, self._filter
        ids = book.on_shelf(self._shelf)
        if not matches.is_empty:
            known = self._matching
            known |= {run_id: matches(run_id, book) for run_id in ids if run_id not in known}
            ids = [run_id for run_id in ids if known[run_id]]
        self._groups = {}
        if not self._is_grouped:
            return self._sorted(ids)
        for run_id in ids:
            self._groups.setdefault(f"group:{book.line(run_id).group}", []).append(run_id)
        rows: list[str] = []
        for key in self._in_order(list(self._groups), {key: self._group_key(ids) for key, ids in self._groups.items()}):
            rows.append(key)
            if key in self._open:
                rows += self._sorted(self._groups[key])
        return rows

    def _sorted(self, ids: Sequence[str]) -> list[str]:
        keys = self._keys
        for run_id in ids:
            if run_id not in keys and (record := self._book.get(run_id)) is not None:
                keys[run_id] = self._sort_key(record, COLUMNS[self._sort[0]])
        return self._in_order(ids, keys)

    def _in_order(self, rows: Sequence[str], keys: Mapping[str, Any]) -> list[str]:
        known = [key for key in rows if keys[key] is not None]
        known.sort(key=keys.__getitem__, reverse=self._sort[1] == Qt.SortOrder.DescendingOrder)
        return known + [key for key in rows if keys[key] is None] if len(known) < len(rows) else known

    # News -----------------------------------------------------------------------------------------------------------

    def _take(self, records: Collection[RunRecord]) -> None:
        self._news_of([record.id for record in records])

    def _take_marks(self, run_ids: Collection[str]) -> None:
        self._news_of(list(run_ids))

    def _news_of(self, run_ids: Sequence[str]) -> None:
        """Arrange anew only where the place or the presence of a run may have changed."""
        before = {run_id: (self._keys.get(run_id), self._matching.get(run_id)) for run_id in run_ids}
        for run_id in run_ids:
            self._keys.pop(run_id, None)
            self._matching.pop(run_id, None)
        if len(self._book) >= MANY:
            if any(self._is_elsewhere(run_id, before[run_id]) for run_id in run_ids):
                if not self._rows:
                    self._rearrange()
                elif not self._later.isActive():
                    self._later.start()
            self._rows_changed(run_ids)
            self.counts_changed.emit()
            return
        wanted = self._wanted()
        if wanted != self._rows:
            self._arrange(wanted)
        else:
            self._rows_changed(run_ids)
        self.counts_changed.emit()

    def _is_elsewhere(self, run_id: str, before: tuple[Any, bool | None]) -> bool:
        record = self._book.get(run_id)
        if record is None or self._is_grouped:
            return True
        is_kept = self._book.shelf(run_id) is self._shelf and (
            self._filter.is_empty or self._filter(run_id, self._book)
        )
        is_here = run_id in self._places
        return is_kept != is_here or (is_here and self._key_of(record) != before[0])

    def _take_purged(self, run_ids: Collection[str]) -> None:
        for run_id in run_ids:
            self._keys.pop(run_id, None)
            self._matching.pop(run_id, None)
        self._rearrange()
        self.set_ticked([run_id for run_id in self._ticked if run_id not in run_ids])

    def _rows_changed(self, run_ids: Any) -> None:
        ids = [run_id for run_id in run_ids if self._is_grouped or run_id in self._places]
        if len(ids) > MOST_STEPS:
            self._all_changed(0, [])
            return
        rows = {row for run_id in ids if (row := self.row_of(run_id)) is not None}
        for row in rows:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def _take_curves(self, run_ids: set[str]) -> None:
        """A running run's best value so far comes from its curve."""
        for run_id in run_ids:
            self._keys.pop(run_id, None)
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
        self._arrange(self._wanted())
        self.counts_changed.emit()

    def _set_rows(self, rows: list[str]) -> None:
        self._rows = rows
        self._places = {key: row for row, key in enumerate(rows)}

    def _arrange(self, wanted: list[str]) -> None:
        """Insert and remove rows, then permute: selection and scrolling survive. Where most is new, fill it anew."""
        held = len(self._rows)
        if len(wanted) > held > 0 and wanted[:held] == self._rows:
            # Older runs of a store that is still being read: what is in sight stays as it is.
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
        for row in {row for run_id in run_ids if (row := self.row_of(run_id)) is not None}:
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
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        # A view asks for a dozen roles a cell; most have no answer here.
        if role not in ANSWERED:
            return None
        record = self.record(index.row())
        if record is None:
            return None
        column, key = COLUMNS[index.column()], self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(key, record, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.is_number else _LEFT
        if role == Qt.ItemDataRole.CheckStateRole:
            return self._check_state(key) if index.column() == 0 else None
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
            # A group is drawn in the look of its oldest run.
            return self._book.order(min(self._groups[key]) if key in self._groups else record.id)
        if role == GROUP_ROLE:
            if key in self._groups:
                return len(self._groups[key]), key in self._open
            return (0, False) if self._is_grouped else None
        if role == STAR_ROLE:
            return key not in self._groups and self._book.baselines.get(record.fingerprint) == record.id
        return self._sort_key(record, column)

    def _cell(self, key: str, record: RunRecord, column: Column) -> str:
        if key not in self._groups:
            return self._text(record, column)
        if column.id == "name":
            return group_name(self._book.line(record.id).name)
        return self._group_text([run for run_id in self._groups[key] if (run := self._book.get(run_id))], column)

    def _dressing(self, key: str, record: RunRecord, column: Column, role: int) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole:
            mark = self._book.marks(record.id)
            told = f"{record.message} {record.hint}".strip()
            said = [f"{run_name(record)} · {record.name} · {record.id}", told, mark.note, ", ".join(mark.tags)]
            return "\n".join(filter(None, said))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return (
                f"{column.title} {self._cell(key, record, column)}"
                if column.id != "progress"
                else progress_words(record)
            )
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


def group_name(name: str) -> str:
    """A run's name without its seed.

    >>> group_name("sample · epochs 6 · seed 1")
    'sample · epochs 6'
    """
    return " · ".join(part for part in name.split(" · ") if not part.startswith("seed ")).split(" seed ")[0]
