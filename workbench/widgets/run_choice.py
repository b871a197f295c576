"""A choice among the stored runs of the open data set that have weights: one list for every page that offers them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QFontMetrics, QShowEvent

from engine.records import RunRecord, RunStatus, StoredWeights
from workbench.context import Context
from workbench.run_names import run_name
from workbench.widgets.cards import label
from workbench.widgets.choice_box import NameBox

NOTHING = "No trained run of this data set"
LOOKING = "Looking for trained runs …"


def so_far(stored: StoredWeights) -> str:
    """What a list adds to a run that is not finished: its weights are those of its best epoch until now, which may
    still change."""
    record = stored.run
    if record.status is RunStatus.FINISHED:
        return ""
    if not stored.is_best:
        return f" · {record.status.value}, nothing validated yet"
    best = "" if record.best_epoch is None else f", best until now: epoch {record.best_epoch + 1}"
    return f" · {record.status.value}{best}"


class RunChoice(NameBox):
    """``run`` is the id of the chosen run; empty where there is none, or ``none`` is chosen.

    The engine says which runs have weights of this very data (`Runs.with_weights`); it is asked when the list is seen,
    and again when a run gets its first weights or ends.
    """

    run_changed = Signal()
    """Another run is chosen, or none any more."""
    listed = Signal()
    """An answer of the engine is in the list."""

    def __init__(self, context: Context, none: str = "") -> None:
        super().__init__()
        self._context = context
        self._none = none
        self._asked = ""
        self._told: set[tuple[str, RunStatus, bool]] = set()
        self._last = ""
        self._was_offered = False
        self._is_answered = False
        self.offered: tuple[StoredWeights, ...] = ()
        """Newest first."""
        self.setAccessibleName("Trained run")
        self.tip = "Stored runs of this very data set that have weights, newest first"
        self.setMinimumWidth(180)
        self.setMaximumWidth(560)
        self.setSizeAdjustPolicy(NameBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.caption = label("Run", "muted")
        self.caption.setBuddy(self)
        self.currentIndexChanged.connect(self._tell)
        context.runs.records_changed.connect(self._records_changed)
        context.runs.purged.connect(self._ask_again)
        context.session.dataset_changed.connect(self._dataset_changed)
        self._fill()

    def cut(self, text: str, metrics: QFontMetrics, room: int) -> str:
        """Without the id where no other run is called the same: it would take the room of the settings."""
        chosen = next((of for of in self.offered if of.run.id == self.run), None)
        if chosen is not None:
            name = run_name(chosen.run)
            if sum(run_name(of.run) == name for of in self.offered) == 1:
                text = f"{name}{so_far(chosen)}"
        return text if metrics.horizontalAdvance(text) <= room else super().cut(text, metrics, room)

    @property
    def run(self) -> str:
        return str(self.currentData() or "")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def _dataset_changed(self, *_: object) -> None:
        self._context.forget((id(self), "runs"))
        self.offered, self._was_offered, self._is_answered = (), False, False
        self._fill()
        self._ask_again()

    def _ask_again(self, *_: object) -> None:
        self._asked = ""
        if self.isVisible():
            self._ask()

    def _ask(self) -> None:
        path = self._context.session.dataset
        if self._asked == path:
            return
        self._asked = path
        self._context.run_in_engine(
            self._context.workspace.runs.with_weights,
            path,
            on_result=self._show,
            on_error=lambda _error: self._show(()),  # the page says that the data cannot be read
            key=(id(self), "runs"),
        )

    def _records_changed(self, records: list[RunRecord]) -> None:
        """A running run tells of itself every second: its text follows, and the engine is asked only where the answer
        may be another."""
        known = {stored.run.id: stored for stored in self.offered}
        states = {(row.id, row.status, row.best_epoch is not None) for row in records}
        if any(row.id in known for row in records):
            newer = {row.id: row for row in records}
            self.offered = tuple(
                StoredWeights(newer.get(old.run.id, old.run), old.path, old.is_best) for old in self.offered
            )
            self._fill()
        if any(state not in self._told and (state[1].is_end or state[2]) for state in states):
            self._ask_again()
        self._told |= states

    def _show(self, found: tuple[StoredWeights, ...]) -> None:
        self.offered, self._is_answered = found, True
        self._fill()
        self.listed.emit()

    def _fill(self) -> None:
        """List the runs; the chosen one stays chosen. Where there was nothing to choose from, the newest finished one
        is: the weights of others may still change."""
        before, is_first = self.run, bool(self.offered) and not self._was_offered
        entries = [(f"{run_name(of.run)} · {of.run.id}{so_far(of)}", of.run.id) for of in self.offered]
        if self._none or not entries:
            entries.insert(0, (self._none if entries else NOTHING if self._is_answered else LOOKING, ""))
        self._was_offered = self._was_offered or bool(self.offered)
        with QSignalBlocker(self):
            if [run for _, run in entries] == [self.itemData(place) for place in range(self.count())]:
                for place, (text, _) in enumerate(entries):
                    self.setItemText(place, text)
            else:
                self.clear()
                for text, run in entries:
                    self.addItem(text, run)
            place = self.findData(before) if before or not is_first else -1
            self.setCurrentIndex(place if place >= 0 else self._first() if is_first or not self._none else 0)
        self.setEnabled(bool(self.offered))
        self._tell()

    def _first(self) -> int:
        """The entry of the newest finished run, or else of the newest."""
        finished = (of.run.id for of in self.offered if of.run.status is RunStatus.FINISHED)
        wanted = next(finished, self.offered[0].run.id if self.offered else "")
        return max(self.findData(wanted), 0)

    def _tell(self, *_: object) -> None:
        self.setToolTip(f"{self.currentText()}\n{self.tip}")  # the box is often narrower than the text
        if self.run != self._last:
            self._last = self.run
            self.run_changed.emit()
