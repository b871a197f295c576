"""The groups of runs that can be compared, to be ticked: a row a configuration, its seeds counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from engine.records import ComparedChoice
from workbench.widgets.text import metric_text

Index = QModelIndex | QPersistentModelIndex
HEADS = ("Configuration", "Seeds", "NDCG@20", "Data")
NUMBERS = HEADS[1:3]
TIPS = (
    "Runs that differ in their seed alone are one group",
    "How many seeds the group has: of each the newest finished run counts",
    "Test NDCG@20, mean over the seeds",
    "Data set",
)
METRIC = "NDCG@20"
UNFINISHED = "Run {} is marked {}: its metrics are those of an unfinished training."


class ChoicesModel(QAbstractTableModel):
    """``ticked`` keeps the order in which groups were ticked: the first is the baseline until another is chosen."""

    ticked_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choices: tuple[ComparedChoice, ...] = ()
        self.rows: list[ComparedChoice] = []
        self.ticked: list[ComparedChoice] = []
        self._words: list[str] = []

    def set_choices(self, choices: Sequence[ComparedChoice]) -> None:
        """Offer other groups. A ticked group that has another seed by now stays ticked, with it."""
        before = [set(item.run_ids) for item in self.ticked]
        self.beginResetModel()
        self.choices = tuple(choices)
        self._filter()
        self.ticked = [
            found for ids in before if (found := next((c for c in choices if ids & _every(c)), None)) is not None
        ]
        self.endResetModel()
        if [set(item.run_ids) for item in self.ticked] != before:
            self.ticked_changed.emit()

    def set_filter(self, text: str) -> None:
        """Show the groups that have every word in their name, data set, seeds, run ids or states."""
        self.beginResetModel()
        self._words = text.casefold().split()
        self._filter()
        self.endResetModel()

    def _filter(self) -> None:
        self.rows = [item for item in self.choices if all(word in _text(item) for word in self._words)]

    def tick_runs(self, run_ids: Sequence[str]) -> None:
        """Tick exactly the groups that hold any of the runs, in the runs' order."""
        places = {run_id: place for place, run_id in reversed(list(enumerate(run_ids)))}
        found = [item for item in self.choices if places.keys() & _every(item)]
        self._set_ticked(sorted(found, key=lambda item: min(places[i] for i in _every(item) if i in places)))

    def untick_unlike(self) -> None:
        """Keep the ticks of groups that were ranked as the first one was."""
        self._set_ticked([item for item in self.ticked if item.protocol == self.ticked[0].protocol])

    def clear_ticks(self) -> None:
        """Tick nothing."""
        self._set_ticked([])

    def toggle(self, row: int) -> None:
        """Tick the group of a row, or take its tick away."""
        item = self.rows[row]
        self._set_ticked([t for t in self.ticked if t is not item] if item in self.ticked else [*self.ticked, item])

    def _set_ticked(self, items: list[ComparedChoice]) -> None:
        if [item.run_ids for item in items] == [item.run_ids for item in self.ticked]:
            return
        self.ticked = items
        if self.rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows) - 1, 0))
        self.ticked_changed.emit()

    # --- Qt's side

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(HEADS)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return (Qt.CheckState.Checked if item in self.ticked else Qt.CheckState.Unchecked).value
        if role == Qt.ItemDataRole.DisplayRole:
            mean, std = item.metrics.get(METRIC), item.stds.get(METRIC)
            spread = f" ± {metric_text(std)}" if std is not None else ""
            return (item.label, seeds_text(item), f"{metric_text(mean)}{spread}", item.dataset)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            seeds = ", ".join(map(str, item.seeds))
            told = f"{item.label}\nseeds {seeds}\nruns {', '.join(item.run_ids)}\n{item.dataset}, {item.fingerprint}"
            states = (UNFINISHED.format(*pair) for pair in item.unfinished.items())
            return "\n".join(filter(None, (told, item.note, *states)))
        return _alignment(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: ARG002
        if role != Qt.ItemDataRole.CheckStateRole or index.column() != 0:
            return False
        self.toggle(index.row())
        return True

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None


def seeds_text(item: ComparedChoice) -> str:
    """``2``, or ``2`` and below it ``1 stopped`` where not all of the group's runs have trained to their end."""
    states = Counter(item.unfinished.values())
    return "\n".join([str(len(item.run_ids)), *(f"{n} {state}" for state, n in sorted(states.items()))])


def _alignment(column: int) -> int:
    side = Qt.AlignmentFlag.AlignRight if HEADS[column] in NUMBERS else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)


def _every(item: ComparedChoice) -> set[str]:
    """The group's runs, those too that do not count: whoever names one of them means the group."""
    return {*item.run_ids, *item.left_out}


def _text(item: ComparedChoice) -> str:
    seeds = " ".join(f"seed {seed}" for seed in item.seeds)
    states = " ".join(item.unfinished.values())
    every = " ".join((*item.run_ids, *item.left_out))
    return f"{item.label} {item.dataset} {seeds} {every} {states}".casefold()
