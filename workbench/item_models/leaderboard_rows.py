"""The leaderboard as a table: a row a preset, ticked or not, with what is planned of it and what it has measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from engine.config import KS, Preset, duration_text
from engine.records import Leaderboard, LeaderboardPlan, LeaderboardRow, PlannedModel
from workbench.widgets.compare_tables import minutes_text, spread
from workbench.widgets.numbers import count
from workbench.widgets.tables import csv_parts
from workbench.widgets.text import metric_text

Index = QModelIndex | QPersistentModelIndex
METRICS = (*(f"NDCG@{k}" for k in reversed(KS)), *(f"HR@{k}" for k in reversed(KS)), "MRR")
FIRST = ("Preset", "Place", "Runs")
BESIDE = ("Epochs", "Minutes", "p, Holm")
LAST = "To know"
TIPS = {
    "Preset": "Ticked presets are the rows of the leaderboard (Space ticks one)",
    "Place": "By the chosen metric; a row without a finished run has none",
    "Runs": "What is there, what waits, what is missing",
    "Epochs": "Of each seed; 'time up' where the time ended a run: its best weights are tested all the same",
    "Minutes": "Training and validation of each seed, all attempts together",
    "p, Holm": "Against the best row, on the same users: Wilcoxon's signed-rank test, Holm-adjusted",
    LAST: "Why a row cannot run or is not complete, what its time is too short for, and what it has otherwise than its "
    "preset",
}
_WORDS = {"": "new", "finished": "done"}


class LeaderboardModel(QAbstractTableModel):
    """``ticked`` are the names of the presets that take part, in the order of the presets."""

    ticked_changed = Signal()

    def __init__(self, presets: Sequence[Preset], ticked: Sequence[str]) -> None:
        super().__init__()
        self.presets = {item.name: item for item in presets}
        self.order = list(self.presets)
        self._ticked = {name for name in ticked if name in self.presets}
        self._planned: dict[str, PlannedModel] = {}
        self._rows: dict[str, LeaderboardRow] = {}
        self._warnings: Mapping[str, str] = {}
        self.metrics: tuple[str, ...] = METRICS

    # --- what is shown

    @property
    def ticked(self) -> tuple[str, ...]:
        return tuple(name for name in self.presets if name in self._ticked)

    @property
    def heads(self) -> tuple[str, ...]:
        return (*FIRST, self.metrics[0], *BESIDE, LAST, *self.metrics[1:])

    def set_ticked(self, names: Sequence[str]) -> None:
        """Tick exactly these."""
        wanted = {name for name in names if name in self.presets}
        if wanted != self._ticked:
            self._ticked = wanted
            self._tell()
            self.ticked_changed.emit()

    def toggle(self, row: int) -> None:
        """Tick a row's preset, or take the tick away."""
        self.set_ticked([name for name in self.presets if (name in self._ticked) != (name == self.order[row])])

    def sort_by(self, metric: str) -> None:
        """The metric that comes first among the columns; places follow with the next board."""
        self.beginResetModel()
        self.metrics = (metric, *(name for name in METRICS if name != metric))
        self._rows = {}
        self.endResetModel()

    def set_plan(self, plan: LeaderboardPlan | None) -> None:
        """What is there of the ticked presets, and what is missing; without a plan, the choice is another one, and what
        was measured for the former is not its."""
        if plan is None:
            self._rows = {}
        self._planned = {model.preset: model for model in plan.models} if plan else {}
        self._tell()

    def set_warnings(self, warnings: Mapping[str, str]) -> None:
        """What the time of a preset is too short for, as far as it is known."""
        if warnings != self._warnings:
            self._warnings = warnings
            self._tell()

    def set_board(self, board: Leaderboard) -> None:
        """What they have measured: measured rows come first, by their place, then the other ticked ones."""
        self.layoutAboutToBeChanged.emit()
        before = [self.order[index.row()] for index in self.persistentIndexList()]
        held = self.persistentIndexList()
        self._rows = {row.preset: row for row in board.rows}
        self._planned = {model.preset: model for model in board.plan.models}
        places = {name: row.place for name, row in self._rows.items() if row.place is not None}
        names = list(self.presets)
        last = len(names)

        def key(name: str) -> tuple[int, bool, int]:  # what has failed stands below what has a place, not out of sight
            return places.get(name, last), name not in self._ticked, names.index(name)

        self.order = sorted(names, key=key)
        after = [self.index(self.order.index(name), index.column()) for name, index in zip(before, held, strict=True)]
        self.changePersistentIndexList(held, after)
        self.layoutChanged.emit()

    def _tell(self) -> None:
        if self.order:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.order) - 1, len(self.heads) - 1))

    # --- Qt's side

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.heads)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        name = self.order[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return (Qt.CheckState.Checked if name in self._ticked else Qt.CheckState.Unchecked).value
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(name, self.heads[index.column()])
        if role == Qt.ItemDataRole.ToolTipRole:
            item = self.presets[name]
            if index.column() == 0:
                return f"{item.title} ({name})\n{item.description}\nSource: {item.source}"
            return self._text(name, LAST) or None if self.heads[index.column()] in ("Runs", LAST) else None
        if role == Qt.ItemDataRole.TextAlignmentRole and not self._is_text(index.column()):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: ARG002
        if role != Qt.ItemDataRole.CheckStateRole or index.column() != 0:
            return False
        self.toggle(index.row())
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.heads[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if self._is_text(section) else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return TIPS.get(self.heads[section]) if role == Qt.ItemDataRole.ToolTipRole else None

    def _is_text(self, section: int) -> bool:
        return self.heads[section] in ("Preset", "Runs", LAST)

    def _text(self, name: str, column: str) -> str:
        if column == "Preset":
            return self.presets[name].title
        planned = self._planned.get(name)
        if name not in self._ticked or planned is None:
            return ""
        row = self._rows.get(name)
        if column == "Runs":
            return runs_text(planned)
        if column == LAST:
            return told_text(planned, row, self._warnings.get(name, ""))
        return "" if row is None else _measured(row, column)

    def csv_parts(self) -> Iterator[str]:
        """The ticked rows as they are shown."""
        names = [name for name in self.order if name in self._ticked]
        return csv_parts(
            list(self.heads), lambda place: [self._text(names[place], head) for head in self.heads], len(names)
        )


def runs_text(planned: PlannedModel) -> str:
    """``2 done, 1 new``; ``cannot run``."""
    return planned.runs_in_words(_WORDS)


def told_text(planned: PlannedModel, row: LeaderboardRow | None = None, warning: str = "") -> str:
    """Why it cannot run; otherwise why runs failed, whose time was too short or will be, and what the preset has
    otherwise."""
    if planned.refusal:
        return planned.refusal
    failed = [f"seed {run.seed} failed: {run.message}" for run in planned.runs if run.status == "failed"]
    cut_short = row.cut_short if row is not None else ""
    return "; ".join(filter(None, [*failed, cut_short, warning, *planned.notes]))


def _measured(row: LeaderboardRow, column: str) -> str:
    if row.metrics is None:
        return ""
    if column == "Place":
        return str(row.place)
    if column == "Epochs":
        return (spread(row.epochs) if any(row.epochs) else "–") + " · time up" * bool(row.out_of_time)
    if column == "Minutes":
        return minutes_text(row.minutes)
    if column == "p, Holm":
        return "best" if row.place == 1 else "–" if row.p is None else f"{row.p:.2g}"
    std = (row.stds or {}).get(column)
    return metric_text(row.metrics.get(column)) + (f" ± {metric_text(std)}" if std is not None else "")


def queue_text(plan: LeaderboardPlan | None) -> str:
    """What the button will do, and the most that it takes."""
    if plan is None:
        return "Queue"
    missing = len(plan.new) + len(plan.resumes)
    if not missing:
        return "Nothing to queue"
    waiting = len(plan.waiting)
    more = f", {waiting} waiting" if waiting else ""
    most = f" · at most {duration_text(plan.most_seconds)}" if plan.most_seconds else ""  # what trains at all
    return f"Queue {count(missing, 'run')}{more}{most}"


def plan_text(plan: LeaderboardPlan) -> str:
    """How far it is."""
    counts = (
        (len(plan.finished), "finished"),
        (len(plan.waiting), "waiting or training"),
        (len(plan.resumes), "to go on"),
        (len(plan.new), "new"),
        (sum(run.status == "failed" for model in plan.models for run in model.runs), "failed"),
        (sum(bool(model.refusal) for model in plan.models), "cannot run"),
    )
    told = " · ".join(f"{number} {words}" for number, words in counts if number)
    return told + ". The test at the end of a run is not part of its time." * bool(plan.to_do)
