"""The table of runs: rows from the run book, filtered and sorted here, updated row by row as news arrives."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from engine.records import RunRecord, RunStatus
from workbench.run_book import RunBook
from workbench.run_names import dataset_name, run_name
from workbench.widgets.text import metric_text, time_left_text, when_text

Index = QModelIndex | QPersistentModelIndex
ID_ROLE = Qt.ItemDataRole.UserRole
RECORD_ROLE = Qt.ItemDataRole.UserRole + 1
ORDER_ROLE = Qt.ItemDataRole.UserRole + 2
SORT_ROLE = Qt.ItemDataRole.UserRole + 3


@dataclass(frozen=True)
class Column:
    """``text`` is what is shown, ``sort`` what is compared; None sorts last in both directions."""

    id: str
    title: str
    text: Callable[[RunRecord], str]
    sort: Callable[[RunRecord], Any]
    width: int
    tip: str = ""
    is_number: bool = False
    is_shown: bool = True
    series: str = ""
    """The curve whose highest value stands here until the run has ended."""


def metric(record: RunRecord, split: str, name: str) -> float | None:
    """A final metric, None until there is one."""
    return record.metrics.get(split, {}).get(name)


def _metric_column(split: str, name: str, *, is_shown: bool) -> Column:
    title = f"{split.capitalize()} {name}"
    return Column(
        f"{split}/{name}",
        title,
        lambda record: metric_text(metric(record, split, name)),
        lambda record: metric(record, split, name),
        120,
        f"{name} on the test targets, at the best epoch"
        if split == "test"
        else f"{name} on the validation targets, at the best epoch; while it trains, the best so far",
        is_number=True,
        is_shown=is_shown,
        series=f"{split}/{name}" if split == "valid" else "",
    )


def epoch_text(record: RunRecord) -> str:
    """``12 / 300``, counted from one; nothing before the first."""
    if record.status is RunStatus.QUEUED or (record.epoch == 0 and record.progress is None):
        return ""
    return f"{record.epoch + 1} / {record.epochs}"


def left_text(record: RunRecord) -> str:
    """Time left of a running run."""
    runs = record.status is RunStatus.RUNNING and record.seconds_left is not None
    return time_left_text(record.seconds_left or 0) if runs else ""


STATUS_ORDER = (
    RunStatus.RUNNING,
    RunStatus.QUEUED,
    RunStatus.FAILED,
    RunStatus.LOST,
    RunStatus.STOPPED,
    RunStatus.FINISHED,
    RunStatus.CANCELLED,
)

COLUMNS: tuple[Column, ...] = (
    Column("name", "Run", run_name, lambda r: run_name(r).lower(), 214, "Tick it to draw it"),
    Column("status", "State", lambda r: r.status.value, lambda r: STATUS_ORDER.index(r.status), 90),
    Column("progress", "Progress", lambda _: "", lambda r: r.progress, 96),
    Column("left", "Left", left_text, lambda r: r.seconds_left, 84, "Time left at the present pace"),
    # The main metrics stand early, where no scrolling hides them.
    _metric_column("test", "NDCG@10", is_shown=True),
    _metric_column("test", "NDCG@20", is_shown=True),
    Column("phase", "Phase", lambda r: r.phase, lambda r: r.phase, 92, is_shown=False),
    Column("epoch", "Epoch", epoch_text, lambda r: r.epoch, 76, is_number=True),
    Column("dataset", "Data", dataset_name, lambda r: dataset_name(r).lower(), 96),
    Column("preset", "Preset", lambda r: r.preset, lambda r: r.preset, 150, is_shown=False),
    Column("seed", "Seed", lambda r: str(r.seed), lambda r: r.seed, 54, is_number=True, is_shown=False),
    _metric_column("valid", "NDCG@20", is_shown=True),
    _metric_column("valid", "HR@10", is_shown=False),
    _metric_column("test", "HR@10", is_shown=True),
    Column("device", "Device", lambda r: r.device, lambda r: r.device, 80, is_shown=False),
    Column("created", "Created", lambda r: when_text(r.created_at), lambda r: r.created_at, 128),
    Column("id", "Id", lambda r: r.id, lambda r: r.id, 110, is_shown=False),
)
COLUMN_IDS = tuple(column.id for column in COLUMNS)


class RunsModel(QAbstractTableModel):
    """Ticks choose the runs whose curves are drawn; `ticked_changed` tells."""

    ticked_changed = Signal()
    counts_changed = Signal()

    def __init__(self, book: RunBook) -> None:
        super().__init__()
        self._book = book
        self._rows: list[str] = []
        self._ticked: dict[str, None] = {}
        self._filter = ""
        self._sort = (COLUMN_IDS.index("created"), Qt.SortOrder.DescendingOrder)
        book.records_changed.connect(self._take)
        book.curves_changed.connect(self._take_curves)
        self._rows = self._wanted()

    # What is shown --------------------------------------------------------------------------------------------------

    @property
    def ticked(self) -> list[str]:
        """Ids of the ticked runs, in the order of ticking."""
        return list(self._ticked)

    @property
    def ids(self) -> list[str]:
        """Ids of the rows, in their order."""
        return list(self._rows)

    @property
    def sorting(self) -> tuple[str, bool]:
        """Id of the column that sorts, and whether it ascends."""
        return COLUMN_IDS[self._sort[0]], self._sort[1] == Qt.SortOrder.AscendingOrder

    def set_ticked(self, run_ids: Collection[str]) -> None:
        """Tick exactly these."""
        wanted = dict.fromkeys(run_ids)
        if list(wanted) == list(self._ticked):
            return
        self._ticked = wanted
        self._all_changed(0, [Qt.ItemDataRole.CheckStateRole])
        self.ticked_changed.emit()

    def toggle(self, run_id: str) -> None:
        """Tick or untick one."""
        ticked = [item for item in self._ticked if item != run_id]
        self.set_ticked(ticked if run_id in self._ticked else [*ticked, run_id])

    def set_filter(self, text: str) -> None:
        """Show the runs that contain every word of ``text`` in name, state, data, preset, seed or id."""
        self._filter = text.lower()
        self._rearrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sort = (column, order)
        self._rearrange()

    def row_of(self, run_id: str) -> int | None:
        """The run's row, None when it is filtered out."""
        return self._rows.index(run_id) if run_id in self._rows else None

    def record(self, row: int) -> RunRecord | None:
        """The record of a row."""
        return self._book.get(self._rows[row]) if 0 <= row < len(self._rows) else None

    def _best_so_far(self, record: RunRecord, column: Column) -> float | None:
        if not column.series or record.metrics or record.status is not RunStatus.RUNNING:
            return None
        return self._book.highest(record.id, column.series)

    def _text(self, record: RunRecord, column: Column) -> str:
        best = self._best_so_far(record, column)
        return column.text(record) if best is None else metric_text(best)

    def _key(self, record: RunRecord, column: Column) -> Any:
        best = self._best_so_far(record, column)
        return column.sort(record) if best is None else best

    def _matches(self, record: RunRecord) -> bool:
        names = f"{run_name(record)} {record.name} {record.id} {record.preset} seed {record.seed}"
        text = f"{names} {record.status} {record.dataset} {dataset_name(record)}".lower()
        return all(word in text for word in self._filter.split())

    def _wanted(self) -> list[str]:
        column, order = self._sort

        def key(record: RunRecord) -> Any:
            return self._key(record, COLUMNS[column])

        records = [record for record in self._book.records if self._matches(record)]
        known = [record for record in records if key(record) is not None]
        known.sort(key=key, reverse=order == Qt.SortOrder.DescendingOrder)
        return [record.id for record in (*known, *(record for record in records if key(record) is None))]

    # News -----------------------------------------------------------------------------------------------------------

    def _take(self, records: Collection[RunRecord]) -> None:
        wanted = self._wanted()
        if wanted != self._rows:
            self._arrange(wanted)
        else:
            for record in records:
                row = self.row_of(record.id)
                if row is not None:
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
        self.counts_changed.emit()

    def _take_curves(self, run_ids: set[str]) -> None:
        """A running run's best value so far comes from its curve."""
        for column in (number for number, column in enumerate(COLUMNS) if column.series):
            for row in (row for row, run_id in enumerate(self._rows) if run_id in run_ids):
                self.dataChanged.emit(self.index(row, column), self.index(row, column))

    def _rearrange(self) -> None:
        self._arrange(self._wanted())
        self.counts_changed.emit()

    def _arrange(self, wanted: list[str]) -> None:
        """Insert and remove rows, then permute: selection and scrolling survive, unlike with a reset."""
        gone = set(self._rows) - set(wanted)
        for row in reversed(range(len(self._rows))):
            if self._rows[row] in gone:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._rows[row]
                self.endRemoveRows()
        held = set(self._rows)
        new = [run_id for run_id in wanted if run_id not in held]
        if new:
            self.beginInsertRows(QModelIndex(), len(self._rows), len(self._rows) + len(new) - 1)
            self._rows.extend(new)
            self.endInsertRows()
        if self._rows != wanted:
            self.layoutAboutToBeChanged.emit()
            before = self.persistentIndexList()
            places = {run_id: row for row, run_id in enumerate(wanted)}
            after = [self.index(places[self._rows[index.row()]], index.column()) for index in before]
            self._rows = wanted
            self.changePersistentIndexList(before, after)
            self.layoutChanged.emit()
        self._all_changed(0, [])

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
        record = self.record(index.row())
        if record is None:
            return None
        column = COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(record, column)
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return Qt.CheckState.Checked if record.id in self._ticked else Qt.CheckState.Unchecked
        if role == ID_ROLE:
            return record.id
        if role == RECORD_ROLE:
            return record
        if role == ORDER_ROLE:
            return self._book.order(record.id)
        if role == SORT_ROLE:
            return self._key(record, column)
        return self._dressing(record, column, role)

    def _dressing(self, record: RunRecord, column: Column, role: int) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run_name(record)} · {record.name} · {record.id}\n{record.message} {record.hint}".strip()
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title} {self._text(record, column)}" if column.id != "progress" else progress_words(record)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        record = self.record(index.row())
        if role != Qt.ItemDataRole.CheckStateRole or record is None or index.column() != 0:
            return False
        if (Qt.CheckState(value) == Qt.CheckState.Checked) != (record.id in self._ticked):
            self.toggle(record.id)
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


def progress_words(record: RunRecord) -> str:
    """Progress for assistive tools."""
    return f"Progress {round(100 * record.progress)} %" if record.progress is not None else "No progress yet"
